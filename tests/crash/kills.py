"""kill -9 at random while 40 tasks with tool calls and approvals run: kills.py [--master] [--seconds N] [--tasks N] [--seed N]

Every 0.7 s one process of a random kind is killed: a worker, the hub, the job runner's supervisor, a run; with --master the pool's master
too. What ./quickstart does for parts that die is done here (Stack.tend). Clients repeat what failed on the connection or with 5xx.
Afterwards: every acknowledged request is in the database, every task is completed with its result within 75 s, every tool call
took effect once (a call whose outcome a crash has hidden may be answered to the model as unknown, but is never repeated),
integrity_check is ok and no job is left leased.
"""
import argparse, json, os, random, re, signal, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

GAP, GRACE = 0.7, 75


class Client:
    """Creates, executes and approves, as a patient program would; remembers what was acknowledged."""

    def __init__(self, stack, count, seconds):
        self.s, self.count, self.seconds = stack, count, seconds
        self.acks, self.tasks, self.stop, self.bad = [], {}, threading.Event(), []
        self.lock = threading.Lock()

    def retry(self, method, path, body=None):
        """The first answer that is no 5xx: (status, answer, tries)."""
        tries = 0
        while True:
            tries += 1
            try:
                status, got = self.s.api(method, path, body, timeout=10)
                if status < 500:
                    return status, got, tries
            except Exception:
                pass
            if self.stop.is_set():
                return 0, None, tries
            time.sleep(0.1)

    def create(self):
        for i in range(self.count):
            calls = " ".join(f'[[tool create_task {{"title": "made {i}.{j}"}}]]' for j in range(3))
            body = {"title": f"work {i}", "description": f"[[sleep {random.randint(100, 1200)}]] {calls} [[say result {i}]]",
                "assignedAgent": "anthropic-direct"}
            status, got, _ = self.retry("POST", "/api/tasks", body)
            if status != 201:
                self.bad.append(("create", status, got))
                continue
            t = got["id"]
            self.acks.append(("create", t))
            status, got, tries = self.retry("PATCH", f"/api/tasks/{t}", {"status": "queued"})
            if status == 200:
                self.acks.append(("queued", t))
            status, got, tries = self.retry("POST", f"/api/tasks/{t}/execute")
            if status == 202 or tries > 1 and status == 400:  # an earlier try did it, its answer was lost
                self.acks.append(("execute", t))
            else:
                self.bad.append(("execute", status, got))
            with self.lock:
                self.tasks[t] = i
            self.stop.wait(max(0, self.seconds * 0.8 / self.count - 0.1))

    def approve(self):
        while not self.stop.is_set():
            status, got, _ = self.retry("GET", "/api/notifications/pending-approvals")
            for n in got or () if status == 200 else ():
                status, answer, tries = self.retry("POST", f"/api/tasks/{n['taskId']}/respond",
                    {"notificationId": n["notificationId"], "behavior": "allow"})
                if status == 200:
                    self.acks.append(("respond", n["notificationId"]))
                elif not (status == 409 and tries > 1) and status != 0:
                    self.bad.append(("respond", status, answer))
            self.stop.wait(0.2)


def kill_some(s, client, seconds, kinds, seed):
    """Kills until the time is over; {kind: how many}."""
    rnd, done, end = random.Random(seed), {k: 0 for k in kinds}, time.time() + seconds
    while time.time() < end:
        time.sleep(GAP)
        s.tend()
        pids = s.pids()
        kind = rnd.choice([k for k in kinds if pids[k]] or ["workers"])
        if pids[kind]:
            s.kill(rnd.choice(pids[kind]))
            done[kind] += 1
    s.tend()
    return done


def unknown_outcomes(s, task):
    """Titles of calls that the model was told have an unknown outcome."""
    out = set()
    for row in s.rows("SELECT payload FROM agent_logs WHERE task_id=? AND event='session_snapshot'", task):
        inputs = {}
        for m in json.loads(row["payload"])["messages"]:
            for b in m["content"] if isinstance(m["content"], list) else ():
                if b.get("type") == "tool_use":
                    inputs[b["id"]] = b["input"].get("title")
                if b.get("type") == "tool_result" and b.get("is_error"):
                    out.add(inputs.get(b["tool_use_id"]))
    return out


def verify(s, client, check):
    end = time.time() + GRACE
    state = lambda: {r["id"]: r for r in s.rows("SELECT id, status, result FROM tasks WHERE title LIKE 'work %'")}
    while time.time() < end and any(state().get(t, {}).get("status") != "completed" for t in client.tasks):
        s.tend()
        time.sleep(0.25)
    rows = state()
    client.stop.set()
    check(f"all {client.count} tasks were acknowledged", len(client.tasks) == client.count, client.bad)
    check("no request was refused", not client.bad, client.bad[:5])
    lost = [a for a in client.acks if a[0] == "create" and a[1] not in rows]
    lost += [a for a in client.acks if a[0] == "respond" and s.one("SELECT response FROM notifications WHERE id=?",
            a[1]) is None]
    lost += [a for a in client.acks if a[0] == "execute" and rows.get(a[1], {}).get("status") in ("planned", "queued")]
    check(f"every acknowledged request ({len(client.acks)}) is in the database", not lost, lost[:5])
    wrong = [(t, rows.get(t)) for t,
        i in client.tasks.items() if (rows.get(t) or {}).get("status") != "completed" or rows[t]["result"] != f"result {i}"]
    check(f"every task is completed with its result within {GRACE} s", not wrong, wrong[:3])
    repeated, missing, told = [], [], 0
    for t, i in client.tasks.items():
        unknown = unknown_outcomes(s, t)
        for j in range(3):
            title = f"made {i}.{j}"
            n = s.one("SELECT count(*) FROM tasks WHERE title=?", title)
            told += title in unknown
            repeated += [title] if n > 1 else []
            missing += [title] if n == 0 and title not in unknown else []
    check("no tool call was repeated", not repeated, repeated)
    check("none got lost unannounced", not missing, missing)
    print(f"     {told} of {3 * client.count} calls had an outcome that a crash hid, and were answered so")
    for what, sql in (("started or resumed", "('started','resumed')"), ("completed", "('completed')")):
        n = [r for r in s.rows(f"SELECT task_id, count(*) n FROM agent_logs WHERE event IN {sql} GROUP BY task_id") if r["task_id"] in client.tasks]
        if what == "completed":
            check("every task has one completed log", len(n) == len(client.tasks) and all(r["n"] == 1 for r in n),
                [r for r in n if r["n"] != 1])
    for table, where in (("notifications", "type='task_completed'"), ("usage_ledger", "status='completed'")):
        n = {r["task_id"]: r["n"] for r in s.rows(f"SELECT task_id, count(*) n FROM {table} WHERE {where} GROUP BY task_id")}
        check(f"one row each in {table}", all(n.get(t) == 1 for t in client.tasks),
            {t: n.get(t) for t in client.tasks if n.get(t) != 1})
    check.equal("no request is left open",
        s.one("SELECT count(*) FROM notifications WHERE response IS NULL AND type='permission_required'"), 0)
    leased = s.until(lambda: s.one("SELECT count(*) FROM jobs WHERE state IN ('leased', 'ready', 'parked')"), lambda n: n == 0,
        20, 0.5)
    check("no job is left", leased == 0,
        s.rows("SELECT id, kind, state, subject FROM jobs WHERE state NOT IN ('done', 'failed')")[:5])
    check.equal("no run is left", s.one("SELECT count(*) FROM engine_runs"), 0)
    check.equal("integrity_check", s.one("PRAGMA integrity_check"), "ok")
    check.equal("foreign_key_check", s.rows("PRAGMA foreign_key_check"), [])


def test(check):
    ap = argparse.ArgumentParser()
    ap.add_argument("--master", action="store_true")
    ap.add_argument("--seconds", type=int, default=60)
    ap.add_argument("--tasks", type=int, default=40)
    ap.add_argument("--seed", type=int, default=int(time.time()))
    a = ap.parse_args()
    print(f"     seed {a.seed}")
    with Stack(options={"pool.workers": 4}) as s:
        client = Client(s, a.tasks, a.seconds)
        threads = [threading.Thread(target=f, daemon=True) for f in (client.create, client.approve)]
        for t in threads:
            t.start()
        kinds = ["workers", "hub", "supervisor", "runs"] + (["master"] if a.master else [])
        killed = kill_some(s, client, a.seconds, kinds, a.seed)
        print(f"     killed {killed}")
        check(f"killed some of each: {killed}", all(killed.values()), killed)
        end = time.time() + 20
        while threads[0].is_alive() and time.time() < end:
            s.tend()
            threads[0].join(0.2)
        verify(s, client, check)
        s.failed = check.failed > 0


main(test)
