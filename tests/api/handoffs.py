#!/usr/bin/env python3
"""Handoffs on the whole stack: handoffs.py [nginx|lighttpd]. The tool of agents and what it fills in, the limit of chains, a spend
cap, expiry, the operator's program, and a job runner that is killed between acceptance and the end: each handoff becomes one
task, which runs and completes it. There is no claude program: its stand-in runs."""
import json, os, random, re, subprocess, sys, time, uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main

LIMIT = "Chain depth limit reached (max 5). Cannot create further handoffs in this chain."
SELF = "Cannot hand off to the same profile (no self-handoff)"
ROUNDS = 8
TOOL = {"toProfile": "researcher", "subject": "From an agent", "body": "[[say Took it over.]]"}


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c

    def send(self, body, **more):
        return self.s.ok("POST", "/api/handoffs", {"fromProfileId": "general", "toProfileId": "researcher", "subject": "S", "body": body, **more})

    def get(self, id):
        return self.s.ok("GET", f"/api/handoffs/{id}")

    def wait(self, id, *states, timeout=20):
        return self.s.until(lambda: self.get(id), lambda h: h and h["status"] in (states or ("completed",)), timeout)

    def call(self, args, profile="general", **fields):
        """Lets a run call the tool: the task, and what the model was told."""
        mark = uuid.uuid4().hex
        task = self.s.start_task(mark, f"{mark} [[tool send_handoff {json.dumps(args)}]] [[say End.]]", agentProfile=profile, **fields)
        self.s.wait_task(task)
        for e in self.s.provider_log():
            text = json.dumps(e["json"].get("messages"))
            if mark in text and "tool_result" in text:
                result = [b for m in e["json"]["messages"] if isinstance(m["content"], list) for b in m["content"] if b["type"] == "tool_result"][0]
                content = result["content"]
                return task, json.loads(content if isinstance(content, str) else content[0]["text"])
        return task, None


def tool(p):
    s, c = p.s, p.c
    s.ok("POST", "/api/permissions", {"pattern": "send_handoff"})
    project = s.ok("POST", "/api/projects", {"name": "P"})["id"]
    task, got = p.call(TOOL, projectId=project)
    rows = s.ok("GET", "/api/handoffs?profileId=researcher")
    c.equal("one handoff", len(rows), 1)
    c.equal("the agent is told", got, {"message": "Handoff created successfully", "messageId": rows[0]["id"], "from": "general",
                                       "to": "researcher", "subject": "From an agent", "requiresApproval": False})
    c.equal("in the name of its profile and task", [rows[0][k] for k in ("fromProfileId", "taskId", "parentMessageId", "chainDepth", "priority")],
            ["general", task, None, 0, 2])
    done = p.wait(rows[0]["id"])
    c.equal("it is done", json.loads(done["attachments"] or "{}"), {"result": "Took it over."})
    made = s.ok("GET", f"/api/tasks/{done['targetTaskId']}")
    c.equal("in the project of its task", (made["projectId"], made["title"], made["agentProfile"]), (project, "Handoff: From an agent", "researcher"))

    for name, args, want in (("itself", {"toProfile": "general"}, SELF), ("nobody", {"toProfile": "nope"}, "Target profile not found: nope"),
                             ("from nobody", {"fromProfile": "nope"}, "Source profile not found: nope"),
                             ("no subject", {"subject": "  "}, "Subject is required"), ("no body", {"body": "\n"}, "Body is required"),
                             ("no task", {"sourceTaskId": "none"}, "Source task not found: none"),
                             ("a long subject", {"subject": "x" * 201}, "Invalid arguments: subject: Too big: expected string to have <=200 characters"),
                             ("a priority", {"priority": 4}, "Invalid arguments: priority: Too big: expected number to be <=3")):
        c.equal(f"refused: {name}", p.call({**TOOL, **args})[1], {"error": want})
    c.equal("nothing was sent", len(s.ok("GET", "/api/handoffs")), 1)
    task, got = p.call({**TOOL, "requiresApproval": True, "priority": 0, "fromProfile": "sweep", "sourceTaskId": ""}, "document-writer")
    row = p.get(got["messageId"])
    c.equal("with approval", [row[k] for k in ("status", "fromProfileId", "taskId", "priority")], ["pending", "sweep", task, 0])
    c.equal("which is asked for", s.rows("SELECT id, type, body FROM notifications WHERE task_id = ? AND type = 'agent_message'", task),
            [{"id": row["id"], "type": "agent_message", "body": "From sweep to researcher: [[say Took it over.]]"}])
    s.ok("DELETE", "/api/permissions", {"pattern": "send_handoff"})
    task = s.start_task("asks", f"[[tool send_handoff {json.dumps(TOOL)}]] [[say End.]]")
    asked = s.wait_request(task)
    s.ok("POST", f"/api/tasks/{task}/respond", {"notificationId": asked["notificationId"], "behavior": "deny"})
    s.wait_task(task)
    c.equal("a refusal sends nothing", len(s.ok("GET", "/api/handoffs")), 2)


def chains(p):
    """The task of a handoff sends one more: it stands behind that, however deep."""
    s, c = p.s, p.c
    s.ok("POST", "/api/permissions", {"pattern": "send_handoff"})
    for depth, to in ((3, "general"), (4, "general")):
        task = s.ok("POST", "/api/tasks", {"title": "T", "description": f"[[tool send_handoff {json.dumps({**TOOL, 'toProfile': to})}]] [[say End.]]",
                                           "assignedAgent": "anthropic-direct", "agentProfile": "researcher"})["id"]
        parent = str(uuid.uuid4())
        s.write([("INSERT INTO agent_messages (id, from_profile_id, to_profile_id, target_task_id, subject, body, status, chain_depth, created_at) "
                  "VALUES (?, 'general', 'researcher', ?, 'S', 'B', 'in_progress', ?, 1)", (parent, task, depth))])
        s.ok("PATCH", f"/api/tasks/{task}", {"status": "queued"})
        c.equal(f"depth {depth}: its task is run", s.wait_task(task)["status"], "completed")
        c.equal(f"depth {depth}: and completes it", p.get(parent)["status"], "completed")
        behind = s.rows("SELECT chain_depth, from_profile_id FROM agent_messages WHERE parent_message_id = ?", parent)
        c.equal(f"depth {depth}: what follows", behind, [{"chain_depth": 4, "from_profile_id": "researcher"}] if depth == 3 else [])
    said = [e for e in s.provider_log() if LIMIT in json.dumps(e["json"].get("messages"))]
    c("the agent is told of the limit", said)
    s.ok("DELETE", "/api/permissions", {"pattern": "send_handoff"})


def timely(p):
    s, c = p.s, p.c
    began = time.time()
    p.wait(p.send("[[say Quick.]]")["id"])
    c("done at once", time.time() - began < 10, time.time() - began)
    id = p.send("[[say Late.]]", requiresApproval=True)["id"]
    s.write([("UPDATE agent_messages SET expires_at = ? WHERE id = ?", (int(time.time()), id))])
    c.equal("what is over expires", p.wait(id, "expired", timeout=5)["status"], "expired")
    c.equal("and cannot be approved", s.api("PATCH", f"/api/handoffs/{id}", {"action": "approve"}),
            (409, {"error": "Cannot approve a handoff with status: expired"}))
    c.equal("nor in the inbox", s.api("POST", "/api/tasks/none/respond", {"notificationId": id, "behavior": "allow"})[0], 409)


def operator(p):
    """stagentctl shows what waits, with nothing that a terminal obeys, and decides."""
    s, c = p.s, p.c

    def ctl(*args):
        got = subprocess.run([str(s.build / "stagentctl"), *s._options(), *args], capture_output=True, text=True, timeout=20, env=s.environment())
        return got.returncode, got.stdout + got.stderr

    yes, no = (p.send(f"[[say {w}.]] \x1b[2J", requiresApproval=True)["id"] for w in ("Yes", "No"))
    status, out = ctl("approvals")
    c("both are shown", status == 0 and yes in out and no in out and "From general to researcher: [[say Yes.]]" in out, out)
    c("harmlessly", "\x1b" not in out, out)
    c.equal("allowed", ctl("approvals", "allow", yes), (0, "allowed\n"))
    c.equal("denied", ctl("approvals", "deny", no), (0, "denied\n"))
    c.equal("which decides", (p.wait(yes)["status"], p.get(no)["status"]), ("completed", "rejected"))
    c("once", ctl("approvals", "allow", no)[0] != 0)
    c.equal("nothing waits any more", [i in ctl("approvals")[1] for i in (yes, no)], [False, False])


def cap(p):
    s, c = p.s, p.c
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": 0.000001})
    h = p.wait(p.send("[[say Never.]]")["id"])
    task = s.ok("GET", f"/api/tasks/{h['targetTaskId']}")
    c("a spend cap fails its task", task["status"] == "failed" and re.match(r"Overall daily spend is \$", task["result"] or ""), task)
    c.equal("and completes it with the reason", json.loads(h["attachments"]), {"result": task["result"]})
    c.equal("one alert", s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND type = 'budget_alert'", task["id"]), 1)
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": 1000})


def killed(p):
    """kill -9 of the job runner and all its processes, at any moment behind the acceptance."""
    s, c = p.s, p.c
    kill = lambda: ([s.kill(x) for x in [s.proc["supervisor"].pid, *s.pids()["runs"]]], s.stop(("supervisor",)))
    s.until(lambda: s.rows("SELECT id FROM jobs WHERE state IN ('ready', 'leased')"), lambda r: not r)
    kill()
    sent = [p.send("[[say While nobody was there.]]")["id"]]
    time.sleep(0.3)
    c.equal("without a job runner it stays accepted", p.get(sent[0])["status"], "accepted")
    # A task that was made, of a runner that died before it began.
    task, made = str(uuid.uuid4()), p.send("[[say Made.]]")["id"]
    s.write([("INSERT INTO tasks (id, title, description, status, agent_profile, priority, resume_count, source_type, created_at, updated_at) "
              "VALUES (?, 'Handoff: S', '[[say Made.]]', 'queued', 'researcher', 2, 0, 'manual', 1, 1)", (task,)),
             ("UPDATE agent_messages SET status = 'in_progress', target_task_id = ? WHERE id = ?", (task, made))])
    s.start_runner()
    c.equal("the next one takes it", json.loads(p.wait(sent[0])["attachments"]), {"result": "While nobody was there."})
    c.equal("and begins what was made", (p.wait(made)["status"], p.get(made)["targetTaskId"]), ("completed", task))
    seed = random.randrange(1 << 30)
    rng, deaths = random.Random(seed), 0
    for i in range(ROUNDS):
        sent += [p.send(f"[[sleep 400]] [[say Round {i} {j}.]]", subject=f"R{i}.{j}")["id"] for j in range(2)]
        time.sleep(rng.random() * 0.6)
        deaths += any(p.get(x)["status"] != "completed" for x in sent[-2:])
        kill()
        s.start_runner()
    c(f"deaths came in between (seed {seed})", deaths, deaths)
    rows = [p.wait(x, timeout=60) for x in sent]
    c.equal("all are completed", {r["status"] for r in rows}, {"completed"})
    c.equal("each with its own result", [json.loads(r["attachments"])["result"] for r in rows[1:]],
            [f"Round {i} {j}." for i in range(ROUNDS) for j in range(2)])
    c.equal("each became one task", s.rows("SELECT title, count(*) AS n FROM tasks WHERE title LIKE 'Handoff: R%' GROUP BY title HAVING n <> 1"), [])
    c.equal("none is missing", s.one("SELECT count(*) FROM tasks WHERE title LIKE 'Handoff: R%' AND status = 'completed'"), 2 * ROUNDS)
    ids = [r["targetTaskId"] for r in rows]
    c.equal("no task has two handoffs", len(set(ids)), len(ids))
    c.equal("each ended once", s.rows(
        "SELECT t.id FROM tasks t WHERE t.title LIKE 'Handoff: R%' AND ((SELECT count(*) FROM notifications WHERE task_id = t.id AND type = 'task_completed') <> 1 "
        "OR (SELECT count(*) FROM usage_ledger WHERE task_id = t.id AND activity_type = 'task_run') <> 1)"), [])


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx", env={"STAGENT_CLAUDE_BIN": "/nonexistent/claude"}) as s:
        p = Play(s, c)
        for part in (tool, chains, timely, operator, cap, killed):
            part(p)


main(test)
