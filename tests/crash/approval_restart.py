"""A run that waits for an approval outlives everything: all processes are stopped (SIGTERM; then the same with kill -9) and
started again, the answer comes, the same run goes on and completes. Two answers at once: one wins, the other gets 409.
"""
import json, os, signal, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main


def waiting_run(s, name, **more):
    t = s.start_task(name,
        f'[[tool create_task {{"title": "{name} one"}}]] [[tool create_task {{"title": "{name} two"}}]] [[say {name} done]]', **more)
    first = s.wait_request(t)
    s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": first["notificationId"], "behavior": "allow"})
    second = s.until(lambda: [n for n in s.ok("GET",
            "/api/notifications/pending-approvals") if n["taskId"] == t and n["notificationId"] != first["notificationId"]],
        bool, 20)[0]
    return t, second["notificationId"]


def goes_on(s, check, name, how, parked=False):
    t, n = waiting_run(s, name)
    run = s.one("SELECT run_id FROM engine_runs WHERE task_id=?", t)
    if parked:
        gone = s.until(lambda: s.pids()["runs"], lambda p: not p, 15)
        check.equal(f"{name}: the parked run has left memory", gone, [])
    if how == "term":
        took = s.stop(only=("supervisor", "master", "web"))
        check(f"{name}: all stopped within 6 s", not s.killed and took < 6.5, (s.killed, took))
    else:
        for p in [*s.pids()["workers"], *s.pids()["hub"], *s.pids()["runs"], s.proc["supervisor"].pid, s.proc["master"].pid]:
            s.kill(p)
        s.stop(only=("supervisor", "master", "web"))
    s.until(lambda: s.mine(), lambda m: not m, 8)
    check.equal(f"{name}: no process is left", s.mine(), [])
    s.start_pool()
    s.start_runner()
    s.start_web()
    s.wait_ready()
    row = s.ok("GET", f"/api/tasks/{t}")
    check.equal(f"{name}: the task still runs", row["status"], "running")
    check(f"{name}: the question is still open", [x for x in s.ok("GET",
            "/api/notifications/pending-approvals") if x["notificationId"] == n])
    time.sleep(1)
    check.equal(f"{name}: nothing was asked twice",
        s.one("SELECT count(*) FROM notifications WHERE task_id=? AND type='permission_required'", t), 2)
    got = []
    two = [threading.Thread(target=lambda b=b: got.append(s.api("POST", f"/api/tasks/{t}/respond",
            {"notificationId": n, "behavior": b}))) for b in ("allow", "allow")]
    [x.start() for x in two], [x.join() for x in two]
    check.equal(f"{name}: of two answers one wins", sorted(x[0] for x in got), [200, 409])
    check(f"{name}: the other is told", (409, {"error": "Already responded"}) in got, got)
    row = s.wait_task(t)
    check.equal(f"{name}: completed with its result", (row["status"], row["result"]), ("completed", f"{name} done"))
    check.equal(f"{name}: each call took effect once", [s.one("SELECT count(*) FROM tasks WHERE title=?",
            f"{name} {x}") for x in ("one", "two")], [1, 1])
    logs = s.rows("SELECT event, payload FROM agent_logs WHERE task_id=? ORDER BY rowid", t)
    check.equal(f"{name}: one start, one end", [sum(r["event"] == e for r in logs) for e in ("started", "completed")], [1, 1])
    check.equal(f"{name}: no resume is counted", row["resumeCount"], 0)
    last = [json.loads(r["payload"])["messages"] for r in logs if r["event"] == "session_snapshot"][-1]
    check.equal(f"{name}: the conversation is whole", [m["role"] for m in last], ["user", "assistant"] * 3)
    usage = row["usage"]
    check.equal(f"{name}: the tokens of before are counted", (usage["inputTokens"], usage["outputTokens"]), (300, 60))
    return run


def deleted(s, check, name):
    """What a waiting run has used stays in the ledger when its task is deleted."""
    t, n = waiting_run(s, name)
    if name == "parked and deleted":
        s.until(lambda: s.pids()["runs"], lambda p: not p, 15)
    s.ok("DELETE", f"/api/tasks/{t}")
    rows = s.until(lambda: s.rows("SELECT status, input_tokens, output_tokens FROM usage_ledger WHERE task_id IS NULL"), bool, 5)
    check.equal(f"{name}: its tokens are counted once", [tuple(r.values()) for r in rows], [("cancelled", 200, 40)])


def test(check):
    with Stack() as s:
        deleted(s, check, "waiting and deleted")
        goes_on(s, check, "term", "term")
        goes_on(s, check, "killed", "kill")
        for i in range(5):
            t, n = waiting_run(s, f"race{i}")
            got = []
            two = [threading.Thread(target=lambda b=b: got.append((b,
                    s.api("POST", f"/api/tasks/{t}/respond", {"notificationId": n, "behavior": b})[0]))) for b in ("allow",
                    "deny", "allow", "deny")]
            [x.start() for x in two], [x.join() for x in two]
            won = [b for b, status in got if status == 200]
            check(f"race {i}: one of four wins, the others get 409",
                len(won) == 1 and sorted(x[1] for x in got) == [200, 409, 409, 409], got)
            s.wait_task(t)
            check.equal(f"race {i}: the stored answer is the winner's",
                json.loads(s.one("SELECT response FROM notifications WHERE id=?", n))["behavior"], won[0])
            check.equal(f"race {i}: and so is what happened", s.one("SELECT count(*) FROM tasks WHERE title=?", f"race{i} two"),
                int(won == ["allow"]))
        s.failed = check.failed > 0
    with Stack(options={"runs.park_after": 1}) as s:
        deleted(s, check, "parked and deleted")
        project = s.ok("POST", "/api/projects", {"name": "P"})["id"]
        t, n = waiting_run(s, "with its project", projectId=project)
        s.until(lambda: s.pids()["runs"], lambda p: not p, 15)
        s.ok("DELETE", f"/api/projects/{project}")
        check.equal("a parked run goes with its project", [s.one(f"SELECT count(*) FROM {x}") for x in ("tasks WHERE title = 'with its project'",
                "engine_runs", "usage_ledger WHERE task_id IS NULL AND status = 'cancelled'")], [0, 0, 1])
        goes_on(s, check, "parked", "term", parked=True)
        goes_on(s, check, "parkedkilled", "kill", parked=True)
        t, n = waiting_run(s, "awake")
        s.until(lambda: s.pids()["runs"], lambda p: not p, 15)
        began = time.time()
        s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n, "behavior": "allow"})
        row = s.wait_task(t)
        check("a parked run goes on at once when it is answered", row["status"] == "completed" and time.time() - began < 1.5,
            (row["status"], time.time() - began))
        t, n = waiting_run(s, "cancelled")
        s.until(lambda: s.pids()["runs"], lambda p: not p, 15)
        s.ok("POST", f"/api/tasks/{t}/cancel")
        check.equal("a parked run is cancelled", s.wait_task(t)["status"], "cancelled")
        check.equal("with its question", s.api("POST", f"/api/tasks/{t}/respond",
                {"notificationId": n, "behavior": "allow"})[0], 409)
        s.failed = check.failed > 0


main(test)
