"""What the tests of the command-line agents share: a task's rows and requests, the processes of a run, and their ends."""
import json, os

from stack import descendants, program, title


def rows(s, task):
    return s.rows("SELECT event, agent_type, payload FROM agent_logs WHERE task_id = ? ORDER BY rowid", task)


def events(s, task):
    return [r["event"] for r in rows(s, task)]


def payloads(s, task, event):
    return [json.loads(r["payload"]) for r in rows(s, task) if r["event"] == event]


def asked(s, task, type="permission_required"):
    """How often a person was asked."""
    return s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND type = ?", task, type)


def respond(s, task, request, behavior, **more):
    s.ok("POST", f"/api/tasks/{task}/respond", {"notificationId": request, "behavior": behavior, **more})


def answer(s, task, behavior, timeout=30, **more):
    """Waits for the task's request, and answers it."""
    n = s.wait_request(task, timeout)
    assert n, (s.ok("GET", f"/api/tasks/{task}"), rows(s, task))
    respond(s, task, n["notificationId"], behavior, **more)
    return n


def clients(s):
    """The program's processes of this stack, and whatever they have started."""
    known = {p.pid for p in s.proc.values()}
    known |= {p for q in s.proc.values() if q.args[0] in ("nginx", "lighttpd") for p in descendants(q.pid)}
    ours = ("stagent-fcgi", "stagent-jobrunner", "nginx", "lighttpd")
    return [p for p in descendants(os.getpid()) if p not in known and program(p) not in ours and "fakeprovider" not in title(p)]


def nothing_left(s, check, what):
    left = s.until(lambda: clients(s), lambda c: not c, 8)
    check(f"{what}: no process is left", not left, [title(p) for p in left])


def end_run(s):
    """kill -9 of the run's own process; the runner starts another."""
    for p in s.pids()["runs"]:
        s.kill(p)


def end_runner(s):
    s.kill(s.proc["supervisor"].pid)
    s.proc["supervisor"].wait()
    s.start_runner()


def back(s, task):
    """The task's run has gone on after a restart."""
    s.until(lambda: events(s, task).count("resumed"), lambda n: n == 1, 30)
