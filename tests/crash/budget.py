"""Fifty runs at once under a cap that allows twenty: never more than twenty calls' worth is spent.

The cost of a call is known from one run made before the cap is set. Then 50 tasks are executed at the same moment, each a single call that takes
a while, so that none is in the ledger when the others are checked. In a second round the tasks skip the operation's check (their runs are
queued before the cap is set), so that only the check at the start of each run holds them. In between the job runner is killed and started again.
"""
import os, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

N, ALLOWED = 50, 20
IDS = ("claude-code", "openai-codex-app-server", "anthropic-direct", "openai-direct", "ollama")


def spent(s):
    return s.one("SELECT coalesce(sum(cost_micros), 0) FROM usage_ledger WHERE status <> 'blocked'")


def cap(s, micros):
    """A cap of a day over all runtimes; null: none."""
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": micros / 1e6} if micros else {"overall": {}, "runtimes": {i: {} for i in IDS}})


def queued(s, title, say):
    t = s.ok("POST", "/api/tasks", {"title": title, "description": f"{title} {say}", "assignedAgent": "anthropic-direct"})["id"]
    s.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
    return t


def at_once(calls):
    got, lock = [], threading.Lock()

    def one(f):
        r = f()
        with lock:
            got.append(r)
    threads = [threading.Thread(target=one, args=(f,)) for f in calls]
    [t.start() for t in threads], [t.join() for t in threads]
    return got


def settle(s, tasks):
    idle = lambda: not s.one("SELECT count(*) FROM jobs WHERE kind='agent_run' AND state IN ('ready','leased','parked')")
    assert s.until(idle, bool, 60), "runs do not end"
    return [s.rows("SELECT status, result FROM tasks WHERE id=?", t)[0] for t in tasks]


def by_operation(s, check, each):
    before = spent(s)
    cap(s, before + ALLOWED * each)
    tasks = [queued(s, f"many {i}", "[[sleep 1500]] [[say done]]") for i in range(N)]
    got = at_once([lambda t=t: s.api("POST", f"/api/tasks/{t}/execute", timeout=60) for t in tasks])
    taken, refused = [g for g in got if g[0] == 202], [g for g in got if g[0] == 429]
    check.equal(f"{N} at once: {ALLOWED} are taken", (len(taken), len(refused)), (ALLOWED, N - ALLOWED))
    check("the others are told why", all(g[1]["error"].startswith("Overall daily spend is $") for g in refused), refused[:1])
    s.kill(s.proc["supervisor"].pid)
    s.proc["supervisor"].wait()
    s.tend()
    states = settle(s, tasks)
    check.equal("what was taken completes, what was refused stays queued", (sum(r["status"] == "completed" for r in states), sum(r["status"] == "queued" for r in states)), (ALLOWED, N - ALLOWED))
    check("no more than the cap is spent", spent(s) - before <= ALLOWED * each, (spent(s) - before, ALLOWED * each))
    check.equal("a blocked row and an alert for each refusal", (s.one("SELECT count(*) FROM usage_ledger WHERE status='blocked'"), s.one("SELECT count(*) FROM notifications WHERE type='budget_alert' AND title LIKE '% blocked by daily spend cap'")), (N - ALLOWED,) * 2)


def by_start(s, check, each):
    cap(s, 0)
    s.stop(only=("supervisor",))
    tasks = [queued(s, f"late {i}", "[[sleep 1500]] [[say done]]") for i in range(N)]
    for t in tasks:
        s.ok("POST", f"/api/tasks/{t}/execute")
    # As runs that workflows and schedules start: queued without a check.
    s.write([("DELETE FROM budget_reservations", ())])
    before = spent(s)
    cap(s, before + ALLOWED * each)
    s.start_runner()
    states = settle(s, tasks)
    done, failed = [r for r in states if r["status"] == "completed"], [r for r in states if r["status"] == "failed"]
    check.equal("runs that begin at once: as many as the cap allows", (len(done), len(failed)), (ALLOWED, N - ALLOWED))
    check("no more than the cap is spent", spent(s) - before <= ALLOWED * each, (spent(s) - before, ALLOWED * each))
    check("a refused run's task has the reason as its result", all("daily spend is $" in r["result"] for r in failed), failed[:1])
    marks = ",".join(f"'{t}'" for t in tasks)
    check.equal("and no final log row, no task_failed", (s.one(f"SELECT count(*) FROM agent_logs WHERE event='failed' AND task_id IN ({marks})"), s.one(f"SELECT count(*) FROM notifications WHERE type='task_failed' AND task_id IN ({marks})")), (0, 0))


def test(check):
    with Stack(options={"runs.max": 64}) as s:
        s.ok("POST", "/api/settings", {"method": "api_key"})  # a subscription's price would count as spent
        t = s.start_task("first", "[[say one]]")
        check.equal("a run before the cap", s.wait_task(t)["status"], "completed")
        each = spent(s)
        check("its cost is known", each > 0, each)
        by_operation(s, check, each)
        by_start(s, check, each)
        cap(s, 0)
        t = s.start_task("after", "[[say well]]")
        check.equal("without a cap all goes on", s.wait_task(t)["status"], "completed")
        check.equal("nothing is reserved that has ended", s.one("SELECT count(*) FROM budget_reservations b JOIN jobs j ON j.id = b.job_id WHERE j.state IN ('ready','leased','parked')"), 0)
        cap(s, spent(s))
        status, got = s.api("POST", "/api/tasks/assist", {"title": "x", "assignedAgent": "anthropic-direct"})
        check("an assist is refused too", status == 429 and got["error"].startswith("Overall daily spend is $"), (status, got))
        check.equal("and is in the ledger", s.one("SELECT count(*) FROM usage_ledger WHERE status='blocked' AND activity_type='task_assist'"), 1)
        s.failed = check.failed > 0


main(test)
