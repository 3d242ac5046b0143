"""Cancelling at random moments of a run: cancelled at once, quiet soon, nothing written afterwards.

Runs hang in a provider's call, receive an answer drop by drop, wait for an approval, retry after errors, or have only just been started;
each is cancelled after a random time. Within 4 s, before any process is killed for not ending, the log says cancelled and the process is gone; 3 s later the task, its log and its
questions are as they were; the provider got no call of it later than 2 s after the cancel.
"""
import os, random, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

KINDS = {"hangs": "[[hang]]", "drips": "[[drip 200]] [[words 100]]",
    "waits": '[[tool create_task {"title": "never %s"}]] [[say no]]',
         "retries": "[[error 529]] [[retry-after 1]]", "works": "[[sleep 100]] " + "[[tool list_projects {}]] " * 20,
         "sleeps": "[[sleep 3000]] [[say late]]"}


def state(s, t):
    return (s.rows("SELECT status, result, updated_at FROM tasks WHERE id=?", t),
        s.rows("SELECT id, event FROM agent_logs WHERE task_id=? ORDER BY rowid", t),
            s.rows("SELECT id, type, response FROM notifications WHERE task_id=? ORDER BY rowid", t),
            s.rows("SELECT status FROM usage_ledger WHERE task_id=?", t))


def one(s, check, kind, delay, n):
    mark = f"{kind}{n}"
    text = KINDS[kind]
    t = s.start_task(mark, f"{mark} " + (text % mark if "%s" in text else text))
    if kind == "waits" and delay > 0.5:
        s.wait_request(t)
    time.sleep(delay)
    runs = set(s.pids()["runs"])
    began = time.time()
    got = s.api("POST", f"/api/tasks/{t}/cancel")
    label = f"{kind} after {delay:.2f} s"
    check(f"{label}: answered", got == (200, {"success": True}) and time.time() - began < 3, (got, time.time() - began))
    check.equal(f"{label}: cancelled", s.ok("GET", f"/api/tasks/{t}")["status"], "cancelled")
    end = lambda: s.rows("SELECT event FROM agent_logs WHERE task_id=? ORDER BY rowid DESC LIMIT 1",
        t) == [{"event": "cancelled"}] and not runs & set(s.pids()["runs"]) and not s.one("SELECT count(*) FROM engine_runs WHERE task_id=?", t)
    quiet = s.until(end, bool, 4, 0.02)
    took = time.time() - began
    check(f"{label}: quiet before anything is killed", quiet and took < 4, (took, state(s, t)[1][-3:], s.pids()["runs"]))
    return t, mark, label, began, state(s, t)


def test(check):
    random.seed()
    with Stack() as s:
        s.ok("POST", "/api/permissions", {"pattern": "list_projects"})
        done = []
        for n in range(3):
            for kind in KINDS:
                done.append(one(s, check, kind, random.choice((0.0, random.uniform(0.02, 0.3), random.uniform(0.5, 1.2))), n))
        time.sleep(3)
        calls = s.provider_log()
        for t, mark, label, began, was in done:
            now = state(s, t)
            check(f"{label}: nothing was written afterwards", now == was, (was, now))
            task, logs, asks, ledger = now
            check.equal(f"{label}: status and result", (task[0]["status"], task[0]["result"]), ("cancelled", None))
            check.equal(f"{label}: one cancelled row, the last", [r["event"] for r in logs].count("cancelled"), 1)
            check(f"{label}: no question is open", all(a["response"] for a in asks if a["type"] == "permission_required"), asks)
            check(f"{label}: at most one ledger row, cancelled", [r["status"] for r in ledger] in ([], ["cancelled"]), ledger)
        time.sleep(2)
        later = s.provider_log()
        check.equal("the provider hears no more of them", len(later), len(calls))
        check.equal("no tool of a cancelled run took effect", s.one("SELECT count(*) FROM tasks WHERE title LIKE 'never %'"), 0)
        check.equal("no job is left", s.rows("SELECT kind, state FROM jobs WHERE state NOT IN ('done', 'failed')"), [])
        t = s.start_task("after", "[[say well]]")
        check.equal("the runner is well", s.wait_task(t)["status"], "completed")
        s.failed = check.failed > 0


main(test)
