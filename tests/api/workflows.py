#!/usr/bin/env python3
"""Runs of workflows on the whole stack: workflows.py [nginx|lighttpd]. The six patterns with what each step is told, loops and
how they end, pauses, retries, checkpoints that are thrown away or wait too long, steps that are cancelled, documents, what an
older program has left, tools. What has no operation is read from and written into the database."""
import json, os, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main

AGENT = "anthropic-direct"


def step(name, prompt="", **more):
    return {"id": name, "name": f"{name} step", "prompt": prompt or f"[[say {name} done]]", "assignedAgent": AGENT, **more}


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c

    def make(self, pattern, *steps, **more):
        return self.s.ok("POST", "/api/workflows", {"name": f"A {pattern}", "definition": {"pattern": pattern, "steps": list(steps),
                                                                                           **more}})["id"]

    def status(self, w):
        return self.s.ok("GET", f"/api/workflows/{w}/status")

    def states(self, w):
        return [x["state"]["status"] for x in self.status(w)["steps"]]

    def execute(self, w):
        self.s.ok("POST", f"/api/workflows/{w}/execute")

    def settle(self, w, want=("completed", "failed"), timeout=30):
        return self.s.until(lambda: self.status(w), lambda x: x["status"] in want, timeout)

    def run(self, *args, **more):
        w = self.make(*args, **more)
        self.execute(w)
        return w, self.settle(w)

    def prompts(self, w):
        return {r["title"].removeprefix("[Workflow] "): r["description"] for r in self.s.rows(
            "SELECT title, description FROM tasks WHERE workflow_id=? ORDER BY rowid", w)}

    def logs(self, w):
        return [(r["event"], json.loads(r["payload"])) for r in self.s.rows(
            "SELECT event, payload FROM agent_logs WHERE agent_type='workflow-engine' AND payload LIKE ? ORDER BY rowid", f"%{w}%")]

    def request(self, w):
        got = self.s.until(lambda: [n for n in self.s.ok("GET", "/api/notifications/pending-approvals") if n["workflowId"] == w], bool)
        return got[0]["notificationId"]

    def answer(self, notification, behavior, want=(200,)):
        return self.s.ok("POST", "/api/tasks/_checkpoint/respond", {"notificationId": notification, "behavior": behavior}, want)


def parts(text, *wanted):
    """Whether WANTED stand in TEXT in that order."""
    at = 0
    for x in wanted:
        at = text.find(x, at)
        if at < 0:
            return False
        at += len(x)
    return True


def one_after_another(p):
    c = p.c
    w, got = p.run("sequence", step("a", "[[say first]]"), step("b", "[[say two]]"), step("c"))
    told = p.prompts(w)
    c.equal("sequence: completed", (got["status"], got["workflowState"]["currentStepIndex"], p.states(w)), ("completed", 2, ["completed"] * 3))
    c("sequence: each step is told the result before it, and no other", told["a step"] == "[[say first]]"
        and parts(told["b step"], "first", "\n\n---\n\n", "[[say two]]") and parts(told["c step"], "two", "\n\n---\n\n[[say c done]]")
        and "first" not in told["c step"], told)
    c.equal("sequence: log", p.logs(w), [("workflow_started", {"workflowId": w, "pattern": "sequence"}),
                                         ("workflow_completed", {"workflowId": w})])
    c.equal("sequence: no state has an empty key", [sorted(x["state"]) for x in got["steps"]],
        [sorted(("stepId", "status", "startedAt", "taskId", "result", "completedAt"))] * 3)
    w, got = p.run("planner-executor", step("p", "[[say the plan]]"), step("x", "[[say did x]]"), step("y"))
    told = p.prompts(w)
    c("executors are told the plan only", got["status"] == "completed" and parts(told["x step"], "the plan", "\n\n---\n\n", "[[say did x]]")
        and parts(told["y step"], "the plan", "\n\n---\n\n") and "did x" not in told["y step"], told)
    w, got = p.run("planner-executor", step("p"))
    c.equal("a planner alone fails without a task", (got["status"], got["workflowState"]["status"], p.states(w), got["runHistory"]),
        ("failed", "failed", ["pending"], []))
    c.equal("and the log says why", [e for e, _ in p.logs(w)], ["workflow_started", "workflow_failed"])
    w, got = p.run("sequence", step("a", "[[error 400]]"), step("b"))
    state = got["steps"][0]["state"]
    c.equal("a failed step has no end, and what follows waits", (sorted(state), p.states(w)),
        (sorted(("stepId", "status", "startedAt", "taskId", "error")), ["failed", "pending"]))
    c.equal("an unnamed step has a number", list(p.prompts(p.run("sequence", {"prompt": "[[say x]]", "assignedAgent": AGENT})[0])), ["Step 1"])
    w, got = p.run("sequence", step("same", "[[say 1]]"), step("same", "[[say 2]]"))
    c.equal("steps of the same id have states of their own", [x["state"]["result"] for x in got["steps"]], ["1", "2"])


def side_by_side(p):
    c = p.c
    w = p.make("parallel", *(step(x, f"[[sleep 400]] [[say  from {x} ]]") for x in "abcd"), step("z", dependsOn=["d", "c", "b", "a"]))
    p.execute(w)
    busiest = 0
    while p.status(w)["status"] == "active":
        busiest = max(busiest, p.states(w)[:4].count("running"))
        time.sleep(0.03)
    told = p.prompts(w)
    c.equal("parallel: three at a time", busiest, 3)
    c("parallel: branches get their own prompt", all(told[f"{x} step"] == f"[[sleep 400]] [[say  from {x} ]]" for x in "abcd"), told)
    c("parallel: the synthesis gets all, in order", parts(told["z step"], "Branch 1 - a step:\nfrom a\n\n---\n\nBranch 2 - b step:\nfrom b\n\n---",
        "Branch 3 - c step:", "Branch 4 - d step:\nfrom d\n\n---\n\n[[say z done]]"), told["z step"])
    c.equal("parallel: done", (p.status(w)["status"], p.status(w)["workflowState"]["currentStepIndex"]), ("completed", 4))
    w = p.make("swarm", step("m", "[[say the plan]]"), *(step(x, f"[[sleep 300]] [[say by {x}]]") for x in "abc"), step("r"),
        swarmConfig={"workerConcurrencyLimit": 1})
    p.execute(w)
    busiest, meanwhile = 0, set()
    while p.status(w)["status"] == "active":
        states = p.states(w)
        busiest = max(busiest, states[1:4].count("running"))
        if "running" in states[1:4]:
            meanwhile.add(states[4])
        time.sleep(0.03)
    c.equal("swarm: the refinery waits", meanwhile, {"waiting_dependencies"})
    told = p.prompts(w)
    c.equal("swarm: as many at a time as is said", busiest, 1)
    c("swarm: a worker is told the plan and its part", parts(told["b step"], "m step", "the plan", "b step", "[[sleep 300]] [[say by b]]"), told)
    c("swarm: the refinery is told everything", parts(told["r step"], "m step", "the plan", "Worker 1 - a step:", "by a", "Worker 2 - b step:",
        "by b", "Worker 3 - c step:", "by c", "---", "[[say r done]]"), told["r step"])
    w, got = p.run("parallel", step("a", "[[error 400]]"), step("b", "[[error 400]]"), step("c"), step("z", dependsOn=["a", "b", "c"]))
    c("parallel: every failed branch is named", parts(got["steps"][3]["state"]["error"], "Blocked by failed branches: a step: ", "; b step: ")
        and sorted(got["steps"][3]["state"]) == ["error", "status", "stepId"], got["steps"][3])


def loops(p):
    c = p.c
    loop = lambda prompt, **config: p.run("loop", step("a", prompt), loopConfig=config)
    w, got = loop("[[say again]]", maxIterations=2.5)
    state = got["loopState"]
    c.equal("loop: a fraction counts as one more", (state["stopReason"], state["currentIteration"], [i["status"] for i in state["iterations"]]),
        ("max_iterations", 3, ["completed"] * 3))
    told = p.prompts(w)
    c("loop: each iteration is told the one before", parts(told["Loop Iteration 2"], "2 of 3", "again", "\n\n---\n\n[[say again]]", "LOOP_COMPLETE")
        and parts(told["Loop Iteration 1"], "1 of 3", "---\n\n[[say again]]"), told)
    c.equal("loop: the log of each", [json.loads(r["payload"]) for r in p.s.rows(
        "SELECT payload FROM agent_logs WHERE event='loop_iteration_started' AND agent_type='loop-executor' AND payload LIKE ? ORDER BY rowid", f"%{w}%")],
        [{"workflowId": w, "iteration": n, "maxIterations": 3} for n in (1, 2, 3)])
    c("loop: times are kept", state["totalDurationMs"] >= sum(i["durationMs"] for i in state["iterations"]) > 0, state)
    c.equal("loop: the steps stay pending", [x["status"] for x in json.loads(got["definition"])["_state"]["stepStates"]], ["pending"])
    state = loop("[[say it is loop_complete.]]", maxIterations=9)[1]["loopState"]
    c.equal("loop: the signal, in any case", (state["stopReason"], state["currentIteration"]), ("agent_signaled", 1))
    state = loop("[[say LOOP_COMPLETE but Finis]]", maxIterations=9, completionSignals=["", "FINIS"])[1]["loopState"]
    c.equal("loop: signals of its own", (state["stopReason"], state["currentIteration"]), ("agent_signaled", 1))
    state = loop("[[say LOOP_COMPLETE]]", maxIterations=2, completionSignals=["other"])[1]["loopState"]
    c.equal("loop: unless there is no text among them", loop("[[say LOOP_COMPLETE]]", maxIterations=2, completionSignals=["", 5])[1]["loopState"]["stopReason"],
        "agent_signaled")
    c.equal("loop: which replace the usual one", (state["stopReason"], state["currentIteration"]), ("max_iterations", 2))
    w = p.make("loop", step("a", "[[hang]]"), loopConfig={"maxIterations": 3})
    p.execute(w)
    t = p.s.until(lambda: p.s.one("SELECT id FROM tasks WHERE workflow_id=?", w), bool)
    p.s.ok("PATCH", f"/api/tasks/{t}", {"status": "completed", "result": "é" * 600000 + " loop_complete"})
    state = p.settle(w)["loopState"]
    c.equal("loop: the signal is looked for in the whole result, of which the state has a part", (state["stopReason"], len(state["iterations"][0]["result"])),
        ("agent_signaled", 1 << 19))
    state = loop("[[sleep 250]] [[say x]]", maxIterations=9, timeBudgetMs=100)[1]["loopState"]
    c.equal("loop: time is looked at between iterations", (state["stopReason"], state["currentIteration"]), ("time_budget", 1))
    w, got = loop("[[error 400]]", maxIterations=3)
    state = got["loopState"]
    c.equal("loop: an error completes it", (got["status"], state["status"], state["stopReason"], state["currentIteration"], state["iterations"][0]["status"]),
        ("completed", "completed", "error", 0, "failed"))
    c.equal("loop: nothing to retry", p.s.api("POST", f"/api/workflows/{w}/steps/a/retry"), (409, {"error": "Step a is not in failed state"}))
    w, got = p.run("loop", step("a", agentProfile="researcher"), loopConfig={"maxIterations": 1, "agentProfile": "data-analyst", "assignedAgent": "openai-direct"})
    c.equal("loop: its configuration wins over the step's", p.s.rows("SELECT assigned_agent, agent_profile, workflow_run_number FROM tasks WHERE workflow_id=?", w),
        [{"assigned_agent": "openai-direct", "agent_profile": "data-analyst", "workflow_run_number": 1}])


def pauses(p):
    c = p.c
    w = p.make("sequence", step("a", "[[sleep 500]] [[say one]]"), step("b"))
    c.equal("a draft cannot be paused", p.s.api("PATCH", f"/api/workflows/{w}", {"status": "paused"}), (409, {"error": "Can only pause an active workflow"}))
    p.execute(w)
    p.s.until(lambda: p.states(w)[0], lambda x: x == "running")
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    c.equal("pausing twice", p.s.api("PATCH", f"/api/workflows/{w}", {"status": "paused"})[0], 409)
    got = p.s.until(lambda: p.status(w), lambda x: x["workflowState"]["status"] == "paused")
    c.equal("what runs is finished, nothing is begun", (got["status"], got["workflowState"]["status"], p.states(w)), ("paused", "paused", ["completed", "pending"]))
    c.equal("a paused one is not edited", p.s.api("PATCH", f"/api/workflows/{w}", {"name": "x"}), (409, {"error": "Cannot edit active or paused workflows"}))
    p.execute(w)
    got = p.settle(w)
    c.equal("and goes on in the same run", (got["status"], got["runNumber"], [h["taskCount"] for h in got["runHistory"]]), ("completed", 1, [2]))
    c.equal("with one start and one end", [e for e, _ in p.logs(w)], ["workflow_started", "workflow_completed"])

    w = p.make("sequence", step("a", "[[sleep 900]] [[say one]]"), step("b"))
    p.execute(w)
    p.s.until(lambda: p.states(w)[0], lambda x: x == "running")
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    p.execute(w)
    got = p.settle(w)
    c.equal("resumed while a step runs: it is waited for", (got["status"], [h["taskCount"] for h in got["runHistory"]]), ("completed", [2]))

    w = p.make("parallel", *(step(x, "[[sleep 500]] [[say x]]") for x in "abcd"), step("z", dependsOn=list("abcd")))
    p.execute(w)
    p.s.until(lambda: p.states(w)[:3], lambda x: x == ["running"] * 3)
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    got = p.s.until(lambda: p.status(w), lambda x: x["workflowState"]["status"] == "paused")
    c.equal("branches: those that run are finished", p.states(w), ["completed"] * 3 + ["pending", "waiting_dependencies"])
    p.execute(w)
    got = p.settle(w)
    c.equal("and the others follow", (got["status"], [h["taskCount"] for h in got["runHistory"]]), ("completed", [5]))

    w = p.make("sequence", step("a", "[[sleep 500]] [[error 400]]"), step("b"))
    p.execute(w)
    p.s.until(lambda: p.states(w)[0], lambda x: x == "running")
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    c.equal("a step that fails in the pause ends the run", (p.settle(w)["status"], p.states(w)), ("failed", ["failed", "pending"]))

    w = p.make("sequence", step("a", "[[hang]]"), step("b"))
    p.execute(w)
    p.s.until(lambda: p.states(w)[0], lambda x: x == "running")
    c.equal("an active one is not deleted", p.s.api("DELETE", f"/api/workflows/{w}")[0], 409)
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    p.s.ok("DELETE", f"/api/workflows/{w}")
    c.equal("deleting a paused one stops its step", p.s.until(lambda: (p.s.one("SELECT count(*) FROM engine_runs"), p.s.one("SELECT count(*) FROM workflow_waits"),
        p.s.one("SELECT count(*) FROM tasks WHERE workflow_id=?", w)), lambda x: x == (0, 0, 0)), (0, 0, 0))


def checkpoints(p):
    c = p.c
    ask = lambda: p.make("checkpoint", step("a", f"[[say {'long ' * 150}]]", requiresApproval=True), step("b", requiresApproval=True), step("c"))
    w = ask()
    p.execute(w)
    n = p.request(w)
    row = p.s.rows("SELECT task_id, title, body, tool_input, read FROM notifications WHERE id=?", n)[0]
    c.equal("the question", (row["task_id"], row["title"], row["tool_input"], row["read"]),
        (None, "Workflow checkpoint: b step", json.dumps({"workflowId": w, "stepName": "b step"}, separators=(",", ":")), 0))
    c("has the beginning of the result", row["body"].endswith("\n" + ("long " * 150)[:500]), row["body"])
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    p.s.until(lambda: p.status(w), lambda x: x["workflowState"]["status"] == "paused")
    p.answer(n, "allow")
    time.sleep(0.3)
    c.equal("an answer in a pause waits for its end", (p.status(w)["status"], p.states(w)), ("paused", ["completed", "waiting_approval", "pending"]))
    p.execute(w)
    began = time.time()
    c.equal("and is used then", p.settle(w)["status"], "completed")
    w = ask()
    p.execute(w)
    n = p.request(w)
    began = time.time()
    p.answer(n, "allow")
    p.s.until(lambda: p.states(w)[1], lambda x: x != "waiting_approval", every=0.01)
    c("an answer is noticed at once", time.time() - began < 0.5, time.time() - began)
    w = ask()
    p.execute(w)
    p.s.ok("DELETE", f"/api/notifications/{p.request(w)}")
    got = p.settle(w)
    other = ask()
    p.execute(other)
    n = p.request(other)
    p.s.ok("PATCH", f"/api/workflows/{other}", {"status": "paused"})
    p.answer(n, "allow")
    p.s.ok("DELETE", f"/api/notifications/{n}")
    p.execute(other)
    c.equal("but not once it is answered", (p.settle(other)["status"], p.s.one("SELECT count(*) FROM workflow_waits WHERE workflow_id=?", other)), ("completed", 0))
    c.equal("thrown away means denied", (got["status"], got["steps"][1]["state"]), ("failed", {"stepId": "b", "status": "failed", "error": "Approval denied by user"}))
    p.s.ok("POST", f"/api/workflows/{w}/steps/b/retry")
    got = p.settle(w)
    c.equal("a retry is the approval", (got["status"], got["runNumber"]), ("completed", 1))
    w = ask()
    p.execute(w)
    n = p.request(w)
    p.s.write([("UPDATE workflow_waits SET due_ms=1 WHERE id=?", (n,))])
    c.equal("a question that waits too long is denied", (p.settle(w)["status"], json.loads(p.s.one("SELECT response FROM notifications WHERE id=?", n))["behavior"],
        p.s.one("SELECT read FROM notifications WHERE id=?", n)), ("failed", "deny", 1))
    p.s.ok("POST", "/api/settings/runtime", {"permissionTimeoutSeconds": 600})
    w = ask()
    p.execute(w)
    n = p.request(w)
    c("the time comes from the setting", 590000 < p.s.one("SELECT due_ms FROM workflow_waits WHERE id=?", n) - time.time() * 1000 <= 600000)
    p.s.ok("POST", "/api/settings/runtime", {"permissionTimeoutSeconds": 0})
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    p.s.ok("DELETE", f"/api/workflows/{w}")
    c.equal("deleting the workflow denies its question", json.loads(p.s.one("SELECT response FROM notifications WHERE id=?", n))["behavior"], "deny")


def retries(p):
    c = p.c
    retry = lambda w, x: p.s.api("POST", f"/api/workflows/{w}/steps/{x}/retry")
    w = p.make("sequence", step("a"))
    c.equal("never run", retry(w, "a"), (409, {"error": "Workflow has no execution state"}))
    c.equal("unknown workflow", retry("nope", "a"), (404, {"error": "Workflow not found"}))
    w, _ = p.run("parallel", step("a", "[[error 400]]"), step("b", "[[flaky 1 400]] retry-b [[say ob]]"), step("z", dependsOn=["a", "b"]))
    c.equal("unknown step", retry(w, "nope"), (404, {"error": "Step nope not found"}))
    c.equal("unknown step, in full", retry(w, "%C3%A9" * 301), (404, {"error": f"Step {'é' * 301} not found"}))
    c.equal("not failed", retry(p.run("sequence", step("a"))[0], "a"), (409, {"error": "Step a is not in failed state"}))
    c.equal("a branch", retry(w, "b"), (202, {"status": "retry_started", "workflowId": w, "stepId": "b"}))
    got = p.settle(w)
    c("the other is still in the way", got["status"] == "failed" and got["steps"][2]["state"]["error"].startswith("Blocked by failed branches: a step: ")
        and "b step" not in got["steps"][2]["state"]["error"], got["steps"][2])
    w = p.make("sequence", step("a", "[[flaky 1 400]] twice [[sleep 300]] [[say x]]"), step("b"))
    p.execute(w)
    p.settle(w)
    got = []
    two = [threading.Thread(target=lambda: got.append(retry(w, "a")[0])) for _ in range(4)]
    [t.start() for t in two], [t.join() for t in two]
    c.equal("of several retries at once one wins", sorted(got), [202, 409, 409, 409])
    c.equal("and the step runs once more", (p.settle(w)["status"], [h["taskCount"] for h in p.status(w)["runHistory"]]), ("completed", [3]))
    w, got = p.run("swarm", step("m"), step("a"), step("b", "[[flaky 1 400]] worker [[say wb]]"), step("r", "[[flaky 1 400]] refinery [[say all]]"))
    c.equal("the refinery waits for its workers", retry(w, "r"), (409, {"error": "All swarm workers must complete before retrying the refinery"}))
    retry(w, "b")
    c.equal("after a worker the refinery runs", (p.settle(w)["status"], p.states(w)), ("failed", ["completed"] * 3 + ["failed"]))
    retry(w, "r")
    got = p.settle(w)
    c.equal("and alone, too", (got["status"], got["runHistory"][0]), ("completed", {"runNumber": 1, "taskCount": 6, "completedCount": 4, "failedCount": 2}))
    c("with all results", parts(p.prompts(w)["r step"], "Worker 1 - a step:", "a done", "Worker 2 - b step:", "wb"))
    w, got = p.run("swarm", step("m", "[[error 400]]"), step("a"), step("b"), step("r"))
    c.equal("a failed mayor ends it", (got["status"], p.states(w)), ("failed", ["failed"] + ["pending"] * 3))


def races(p):
    c = p.c
    w = p.make("sequence", step("a", "[[sleep 200]] [[say x]]"))
    got = []
    many = [threading.Thread(target=lambda: got.append(p.s.api("POST", f"/api/workflows/{w}/execute")[0])) for _ in range(6)]
    [t.start() for t in many], [t.join() for t in many]
    c.equal("of several executions at once one wins", sorted(got), [202] + [409] * 5)
    c.equal("which is one run", (p.settle(w)["runNumber"], [h["taskCount"] for h in p.status(w)["runHistory"]]), (1, [1]))
    p.execute(w)
    c.equal("the last run is not shown again", p.status(w)["runNumber"], 2)
    p.settle(w)
    for what, do, error in (("cancelled", lambda t: p.s.ok("POST", f"/api/tasks/{t}/cancel"), "Task did not complete successfully"),
                            ("deleted", lambda t: p.s.api("DELETE", f"/api/tasks/{t}"), "Task did not complete successfully"),
                            ("set to failed", lambda t: p.s.ok("PATCH", f"/api/tasks/{t}", {"status": "failed", "result": "by hand"}), "by hand")):
        w = p.make("sequence", step("a", "[[hang]]"), step("b"))
        p.execute(w)
        t = p.s.until(lambda: p.s.one("SELECT id FROM tasks WHERE workflow_id=?", w), bool)
        do(t)
        got = p.settle(w)
        c.equal(f"a step whose task is {what}", (got["status"], got["steps"][0]["state"].get("error"), got["steps"][0]["state"].get("taskId")), ("failed", error, t))


def learning(p):
    c = p.c
    tip = lambda x: step(x, '[[sleep 300]] [[say [{"title": "Tip %s", "description": "Text", "category": "shortcut"}] ]]' % x, agentProfile="general")
    p.s.write([("INSERT INTO settings (key, value, updated_at) VALUES ('learning.autoExtract', 'all', 0)", ())])
    w = p.make("sequence", tip("a"), tip("b"))
    p.execute(w)
    p.s.until(lambda: p.states(w)[0], lambda x: x == "running")
    p.s.ok("PATCH", f"/api/workflows/{w}", {"status": "paused"})
    collected = p.s.until(lambda: p.s.rows("SELECT proposal_notification_id FROM learned_context"), bool)
    c.equal("what a step teaches in a pause is collected", (p.status(w)["status"], collected), ("paused", [{"proposal_notification_id": None}]))
    p.execute(w)
    p.settle(w)
    got = p.s.until(lambda: p.s.rows("SELECT title, tool_name, task_id FROM notifications WHERE type LIKE 'context_proposal%'"), bool)
    c.equal("and proposed with the rest", got, [{"title": "Workflow learning: 2 context proposals", "tool_name": "workflow-context-batch", "task_id": None}])
    p.s.write([("DELETE FROM settings WHERE key='learning.autoExtract'", ())])


def projects(p):
    c = p.c
    project = p.s.ok("POST", "/api/projects", {"name": "With a workflow"})["id"]
    w = p.s.ok("POST", "/api/workflows", {"name": "w", "projectId": project, "definition": {"pattern": "parallel", "steps": [
        step("a", "[[hang]]"), step("b"), step("z", dependsOn=["a", "b"])]}})["id"]
    p.execute(w)
    p.s.until(lambda: p.states(w)[:2], lambda x: x == ["running", "completed"])
    c.equal("steps belong to the workflow's project", p.s.rows("SELECT DISTINCT project_id FROM tasks WHERE workflow_id=?", w), [{"project_id": project}])
    p.s.ok("DELETE", f"/api/projects/{project}")
    gone = lambda: [p.s.one(f"SELECT count(*) FROM {t} WHERE {k}=?", v) for t, k, v in (("workflows", "id", w), ("tasks", "workflow_id", w),
        ("workflow_waits", "workflow_id", w), ("workflow_runs", "workflow_id", w))] + [p.s.one("SELECT count(*) FROM engine_runs")]
    c.equal("a project takes its running workflow with it", p.s.until(gone, lambda x: x == [0] * 5), [0] * 5)


def documents(p):
    c = p.c
    def output(name, text):
        t = p.s.start_task(f"makes {name}", f'[[tool write_output_file {json.dumps({"filename": name, "content": text})}]] [[say ok]]')
        p.s.wait_task(t)
        return p.s.one("SELECT id FROM documents WHERE task_id=?", t), t
    (all_, _), (one, _), (named, _) = output("all.md", "For everybody."), output("one.md", "short"), output("named.md", "Named by the step.")
    source = p.s.ok("POST", "/api/tasks", {"title": "Source"})["id"]
    p.s.write([("UPDATE documents SET status='ready', extracted_text=? WHERE id=?", (t, d)) for t, d in (("For everybody.", all_), ("x" * 12000, one),
        ("Named by the step.", named))] + [("INSERT INTO documents (id, task_id, filename, original_name, mime_type, size, storage_path, direction, status, created_at, updated_at)"
        " VALUES ('source-doc', ?, 'f', 'source.pdf', 'application/pdf', 1, '/nowhere', 'input', 'uploaded', 1, 1)", (source,))])
    w = p.make("sequence", step("a"), step("b", documentIds=[named, "gone"]), sourceTaskId=source)
    bind = lambda *a, **k: p.s.api("POST", f"/api/workflows/{w}/documents", {"documentIds": list(a), **k})
    c.equal("documents that are not there", bind(all_, "n1", "n2"), (404, {"error": "Documents not found: n1, n2"}))
    c.equal("no list", p.s.api("POST", f"/api/workflows/{w}/documents", {"documentIds": []}), (400, {"error": "documentIds must be a non-empty array"}))
    c.equal("bound to all", bind(all_, all_), (201, {"attached": 2, "workflowId": w, "stepId": None}))
    c.equal("bound to one", bind(one, all_, stepId="b"), (201, {"attached": 2, "workflowId": w, "stepId": "b"}))
    c.equal("each once", [(x["documentId"], x["stepId"]) for x in p.s.ok("GET", f"/api/workflows/{w}/documents")], [(all_, None), (one, "b"), (all_, "b")])
    c.equal("shown with the source's", [d["id"] for d in p.status(w)["parentDocuments"]], ["source-doc"])
    p.execute(w)
    p.settle(w)
    told = p.prompts(w)
    c("a step is given its documents, the bound ones first", parts(told["a step"], "--- Workflow Pool Documents ---\n\n[Document 1: all.md]\nPath: ", "<document>\nFor everybody.\n</document>",
        "\n\n--- End Workflow Pool Documents ---\n\n--- Parent Task Documents ---\n\n[Document 1: source.pdf]\nPath: /nowhere\nStatus: not yet processed\n\n--- End Parent Task Documents ---\n\n[[say a done]]")
        and "one.md" not in told["a step"], told["a step"])
    c("another one more of them", parts(told["b step"], "all.md", "truncated to 10000", "Named by the step.") and told["b step"].count("all.md]") == 1, told["b step"][:400])
    p.s.ok("DELETE", f"/api/workflows/{w}/documents", {"documentIds": [all_], "stepId": "b"})
    c.equal("taken away from one step", [(x["documentId"], x["stepId"]) for x in p.s.ok("GET", f"/api/workflows/{w}/documents")], [(all_, None), (one, "b")])
    p.s.ok("DELETE", f"/api/workflows/{w}/documents")
    c.equal("no body: all are", p.s.ok("GET", f"/api/workflows/{w}/documents"), [])
    w, got = p.run("sequence", step("a", '[[tool write_output_file {"filename": "out.md", "content": "made"}]] [[say ok]]'))
    t = got["steps"][0]["state"]["taskId"]
    c.equal("what a step makes is shown under its task", [(d["originalName"], d["direction"]) for d in got["stepDocuments"][t]], [("out.md", "output")])
    c.equal("and counted", [(x["taskCount"], x["outputDocCount"]) for x in p.s.ok("GET", "/api/workflows") if x["id"] == w], [(1, 1)])
    p.s.ok("DELETE", f"/api/workflows/{w}")
    c.equal("and deleted with the workflow", p.s.one("SELECT count(*) FROM documents WHERE task_id=? OR original_name='out.md'", t), 0)


def old_ones(p):
    """Rows as another program has left them."""
    c = p.c
    def put(w, status, definition):
        p.s.write([("INSERT INTO workflows (id, name, definition, status, run_number, created_at, updated_at) VALUES (?, ?, ?, ?, 1, 1, 1)", (w, w, json.dumps(definition), status))])
    state = lambda *x, i=0: {"currentStepIndex": i, "status": "running", "startedAt": "2026-01-01T00:00:00.000Z", "stepStates": [dict(zip(("stepId", "status"), y)) for y in x]}
    put("old-running", "active", {"pattern": "sequence", "steps": [step("a"), step("b")], "_state": state(("a", "completed"), ("b", "running"))})
    put("old-stateless", "active", {"pattern": "sequence", "steps": [step("a")]})
    put("old-loop", "active", {"pattern": "loop", "steps": [step("a")], "loopConfig": {"maxIterations": 2}, "_state": state(("a", "pending")), "_loopState": {
        "currentIteration": 0, "status": "running", "startedAt": "2026-01-01T00:00:00.000Z", "iterations": [{"iteration": 1, "taskId": "", "status": "running", "startedAt": "2026-01-01T00:00:00.000Z"}]}})
    put("old-rubbish", "active", [1, 2])
    put("old-half", "draft", {"pattern": "sequence", "steps": [{**step("a"), "name": "\ud800"}]})
    half = p.s.one("SELECT definition FROM workflows WHERE id='old-half'")
    p.execute("old-half")
    put("old-waiting", "active", {"pattern": "checkpoint", "steps": [step("a"), step("b", requiresApproval=True)], "_state": state(("a", "completed"), ("b", "waiting_approval"), i=1)})
    p.s.write([("INSERT INTO notifications (id, type, title, tool_name, tool_input, created_at) VALUES ('old-question', 'permission_required', 'Workflow checkpoint: b step',"
        " 'WorkflowCheckpoint', ?, 1)", (json.dumps({"workflowId": "old-waiting", "stepName": "b step"}),))])
    put("old-paused", "paused", {"pattern": "sequence", "steps": [step("a"), step("b")], "_state": state(("a", "running"), ("b", "pending"))})
    p.execute("old-paused")
    put("old-asking", "failed", {"pattern": "sequence", "steps": [step("a")]})
    p.s.write([("INSERT INTO notifications (id, type, title, tool_name, tool_input, created_at) VALUES ('lost-question', 'permission_required', 'x',"
        " 'WorkflowCheckpoint', ?, 1)", (json.dumps({"workflowId": "old-asking", "stepName": "x"}),))])
    p.execute("old-asking")
    c.equal("questions of an earlier run are closed", json.loads(p.s.one("SELECT response FROM notifications WHERE id='lost-question'"))["behavior"], "deny")
    got = p.settle("old-running")
    c.equal("a step that nobody works on fails", (got["status"], p.states("old-running")), ("failed", ["completed", "failed"]))
    c("and says why", "interrupted" in got["steps"][1]["state"]["error"], got["steps"][1])
    c.equal("one without a state is begun", p.settle("old-stateless")["status"], "completed")
    c.equal("a loop ends with an error", (p.settle("old-loop")["status"], p.status("old-loop")["loopState"]["stopReason"]), ("completed", "error"))
    c.equal("what cannot be read fails", (p.settle("old-rubbish")["status"], p.settle("old-half")["status"]), ("failed", "failed"))
    c.equal("and stays as it is", (p.status("old-rubbish")["definition"], p.status("old-half")["definition"]), (json.dumps([1, 2]), half))
    p.s.write([("UPDATE workflows SET definition=json_set(definition, '$._state', json_object('stepStates', json_array(json_object('status', 'failed')))) WHERE id='old-loop'", ())])
    c.equal("no step of a loop is retried", p.s.api("POST", "/api/workflows/old-loop/steps/a/retry"), (409, {"error": "Step a is not in failed state"}))
    c.equal("a question goes on waiting", (p.status("old-waiting")["status"], p.s.one("SELECT count(*) FROM notifications WHERE tool_input LIKE '%old-waiting%'")), ("active", 1))
    p.answer("old-question", "allow")
    c.equal("and is answered", p.settle("old-waiting")["status"], "completed")
    c.equal("a paused one is resumed", (p.settle("old-paused")["status"], p.states("old-paused")), ("completed", ["completed"] * 2))


def tools(p):
    c = p.c
    def call(name, args):
        t = p.s.start_task(name, f"[[tool {name} {json.dumps(args)}]] [[say ok]]")
        p.s.wait_task(t)
        got = [json.loads(r["payload"]) for r in p.s.rows("SELECT payload FROM agent_logs WHERE task_id=? AND event='session_snapshot' ORDER BY rowid DESC LIMIT 1", t)]
        text = [b["content"] for m in got[0]["messages"] if isinstance(m["content"], list) for b in m["content"] if b.get("type") == "tool_result"][0]
        text = text if isinstance(text, str) else text[0]["text"]
        return json.loads(text)
    for name in ("list_workflows", "create_workflow", "get_workflow", "update_workflow", "delete_workflow", "execute_workflow", "get_workflow_status"):
        p.s.ok("POST", "/api/permissions", {"pattern": name})
    definition = json.dumps({"pattern": "sequence", "steps": [step("a")]})
    c.equal("create_workflow: no JSON", call("create_workflow", {"name": "T", "definition": "{"}), {"error": "Invalid JSON in definition"})
    c.equal("create_workflow: no steps", call("create_workflow", {"name": "T", "definition": "{}"}), {"error": 'Definition must include "pattern" and "steps" array'})
    c.equal("create_workflow: the operation's checks", call("create_workflow", {"name": "T", "definition": '{"pattern":"zig","steps":[{}]}'})["error"][:24], "Pattern must be one of: ")
    made = call("create_workflow", {"name": "By an agent", "definition": definition, "documentIds": ["gone"]})
    c.equal("create_workflow", (list(made), made["status"], made["attachedDocuments"]), (["id", "name", "projectId", "status", "createdAt", "attachedDocuments"], "draft", 0))
    w = {"workflowId": made["id"]}
    c.equal("update_workflow", call("update_workflow", {**w, "name": "Renamed"})["name"], "Renamed")
    c.equal("get_workflow_status before a run", call("get_workflow_status", w)["steps"], [{"stepId": "a step", "status": "pending"}])
    c.equal("execute_workflow", call("execute_workflow", w), {"message": "Workflow execution started", **w, "name": "Renamed"})
    p.settle(made["id"])
    got = call("get_workflow", w)
    c.equal("get_workflow", (got["pattern"], got["steps"], got["executionState"]), ("sequence", [{"name": "a step", "prompt": "[[say a done]]", "assignedAgent": AGENT}],
        {"stepStates": [{"stepId": "a", "status": "completed", "outputPreview": "a done"}]}))
    c.equal("list_workflows", call("list_workflows", {"status": "completed"})[0]["name"], "Renamed")
    c.equal("execute_workflow: completed", call("execute_workflow", w), {"error": "Cannot execute a workflow in 'completed' status"})
    c.equal("update_workflow: no draft", call("update_workflow", {**w, "name": "x"}), {"error": "Cannot edit a workflow in 'completed' status. Only draft workflows can be edited."})
    c.equal("delete_workflow", call("delete_workflow", w), {"message": "Workflow deleted", **w, "name": "Renamed"})
    c.equal("get_workflow: gone", call("get_workflow", w), {"error": f"Workflow not found: {made['id']}"})


def test(check):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx") as s:
        p = Play(s, check)
        for part in (one_after_another, side_by_side, loops, pauses, checkpoints, retries, races, learning, projects, documents, old_ones, tools):
            part(p)
        left = s.until(lambda: s.rows("SELECT * FROM workflow_waits"), lambda x: not x)
        check.equal("nothing is waited for any more", left, [])
        check.equal("no sanitizer report", s.reports(), "")
        check.equal("no job has failed", s.rows("SELECT kind, subject, error FROM jobs WHERE state='failed'"), [])
        s.failed = check.failed > 0


main(test)
