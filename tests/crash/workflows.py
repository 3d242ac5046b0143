"""kill -9 at random while workflows run: workflows.py [--seconds N] [--seed N]

Workflows of every pattern, checkpoints that a patient client approves, pauses and resumptions; every 0.3 s the job runner's supervisor, a
job's process, a worker or the pool's hub is killed. Afterwards every workflow has ended as its pattern says, no step was run twice (one
task for each step or iteration, though some of their runs died), nobody was asked twice, and nothing is left waiting.
"""
import argparse, json, os, random, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

GAP, GRACE = 0.3, 60


def step(name, **more):
    return {"id": name, "name": f"{name} step", "prompt": f"[[sleep {random.randint(50, 400)}]] [[say {name} done]]",
        "assignedAgent": "anthropic-direct", **more}


def definitions():
    """(definition, wanted status, wanted tasks)."""
    bad = {"id": "x", "name": "x step", "prompt": "[[error 400]]", "assignedAgent": "anthropic-direct"}
    return [
        ({"pattern": "sequence", "steps": [step(x) for x in "abcd"]}, "completed", 4),
        ({"pattern": "parallel", "steps": [*(step(x) for x in "abcde"), step("z", dependsOn=list("abcde"))]}, "completed", 6),
        ({"pattern": "parallel", "steps": [bad, *(step(x) for x in "abc"), step("z", dependsOn=list("xabc"))]}, "failed", 4),
        ({"pattern": "checkpoint", "steps": [step("a"), step("b", requiresApproval=True), step("c", requiresApproval=True)]}, "completed", 3),
        ({"pattern": "swarm", "steps": [step(x) for x in "mabcr"]}, "completed", 5),
        ({"pattern": "loop", "steps": [step("a")], "loopConfig": {"maxIterations": 4}}, "completed", 4),
    ]


class Client:
    def __init__(self, s):
        self.s, self.stop, self.made, self.bad = s, threading.Event(), {}, []

    def retry(self, method, path, body=None):
        while True:
            try:
                status, got = self.s.api(method, path, body, timeout=10)
                if status < 500:
                    return status, got
            except Exception:
                pass
            if self.stop.is_set():
                return 0, None
            time.sleep(0.1)

    def create(self, rounds):
        for n in range(rounds):
            for definition, status, tasks in definitions():
                code, got = self.retry("POST", "/api/workflows", {"name": f"{definition['pattern']} {n}", "definition": definition})
                if code != 201:
                    self.bad.append((code, got))
                    continue
                w = got["id"]
                code, got = self.retry("POST", f"/api/workflows/{w}/execute")
                if code not in (202, 409):  # 409: an earlier try did it, its answer was lost
                    self.bad.append((code, got))
                self.made[w] = (definition, status, tasks)
            self.stop.wait(1)

    def approve(self):
        while not self.stop.is_set():
            code, got = self.retry("GET", "/api/notifications/pending-approvals")
            for n in got or () if code == 200 else ():
                self.retry("POST", "/api/tasks/_checkpoint/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
            self.stop.wait(0.2)

    def pause(self):
        while not self.stop.is_set():
            for w in random.sample([w for w, (_, status, _) in self.made.items() if status == "completed"], min(2, len(self.made) // 2)):
                self.retry("PATCH", f"/api/workflows/{w}", {"status": "paused"})
            self.stop.wait(0.5)
            self.resume()

    def resume(self):
        for r in self.s.rows("SELECT id FROM workflows WHERE status='paused'"):
            self.retry("POST", f"/api/workflows/{r['id']}/execute")


def kill_some(s, seconds, seed):
    rnd, done, end = random.Random(seed), {}, time.time() + seconds
    while time.time() < end:
        time.sleep(GAP)
        s.tend()
        pids = s.pids()
        kind = rnd.choice([k for k in ("runs", "runs", "supervisor", "workers", "hub") if pids[k]] or ["workers"])
        if pids[kind]:
            s.kill(rnd.choice(pids[kind]))
            done[kind] = done.get(kind, 0) + 1
    s.tend()
    return done


def verify(s, client, check):
    rows = lambda: {r["id"]: r for r in s.rows("SELECT id, status, definition, run_number FROM workflows")}
    end = time.time() + GRACE
    while time.time() < end and any(rows()[w]["status"] in ("active", "paused") for w in client.made):
        s.tend()
        client.resume()
        time.sleep(0.25)
    client.stop.set()
    now = rows()
    check("no request was refused", not client.bad, client.bad[:5])
    wrong = [(d["pattern"], now[w]["status"]) for w, (d, status, _) in client.made.items() if now[w]["status"] != status]
    check(f"every workflow ({len(client.made)}) has ended as it should", not wrong, wrong)
    check("each ran once", all(now[w]["run_number"] == 1 for w in client.made), [now[w]["run_number"] for w in client.made])
    twice = [(d["pattern"], n, s.one("SELECT count(*) FROM tasks WHERE workflow_id=?", w)) for w, (d, _, n) in client.made.items()
        if s.one("SELECT count(*) FROM tasks WHERE workflow_id=?", w) != n]
    check("no step was run twice, and none is missing", not twice, twice)
    asked = [w for w, (d, _, _) in client.made.items() if s.one(
        "SELECT count(*) FROM notifications WHERE tool_name='WorkflowCheckpoint' AND tool_input LIKE ?", f"%{w}%") != 2 * (d["pattern"] == "checkpoint")]
    check("nobody was asked twice", not asked, asked)
    states = []
    for w, (d, _, _) in client.made.items():
        definition = json.loads(now[w]["definition"])
        for x in definition["_state"]["stepStates"] if d["pattern"] != "loop" else definition["_loopState"]["iterations"]:
            task = s.rows("SELECT status, result FROM tasks WHERE id=?", x.get("taskId", ""))
            blocked = x["status"] == "failed" and "taskId" not in x
            if not blocked and (not task or task[0]["status"] != x["status"] or task[0]["result"] != x.get("result", x.get("error"))):
                states.append((d["pattern"], x, task))
    check("every state says what its task came to", not states, states[:3])
    ends = {r["w"]: r["n"] for r in s.rows("SELECT json_extract(payload, '$.workflowId') w, count(*) n FROM agent_logs"
        " WHERE event IN ('workflow_completed', 'workflow_failed') GROUP BY w")}
    check("each has one end in the log", all(ends.get(w) == 1 for w in client.made), ends)
    left = s.until(lambda: s.rows("SELECT * FROM workflow_waits") + s.rows("SELECT kind, state FROM jobs WHERE state NOT IN ('done', 'failed')"),
        lambda x: not x, 20, 0.5)
    check("nothing is left waiting", not left, left[:5])
    check.equal("the database is whole", s.one("PRAGMA integrity_check"), "ok")


def test(check):
    ap = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    ap.add_argument("--seconds", type=float, default=12)
    ap.add_argument("--seed", type=int, default=7)
    a = ap.parse_args()
    random.seed(a.seed)
    with Stack() as s:
        client = Client(s)
        threads = [threading.Thread(target=f, args=x, daemon=True) for f, x in ((client.create, (4,)), (client.approve, ()), (client.pause, ()))]
        [t.start() for t in threads]
        print(f"     killed: {kill_some(s, a.seconds, a.seed)}")
        threads[0].join(20)
        verify(s, client, check)
        [t.join(10) for t in threads]
        s.failed = check.failed > 0


main(test)
