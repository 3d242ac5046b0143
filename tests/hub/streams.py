#!/usr/bin/env python3
"""What the stream hub promises, checked on the hub alone; about 80 s, most of it waiting for its clocks.

	STAGENT_BUILD=build tests/hub/streams.py [--fast]

--fast leaves the clocks out.
"""
import array, json, signal, socket, sys, time
from fcgihub import APPROVALS, JOB, LOGS, Checks, Hub, Stream

ok = Checks()
FAST = "--fast" in sys.argv


def opened(s, timeout=5):
    return s.wait(lambda x: b"\r\n\r\n" in x.text, timeout)


def slow_take(streams, until, timeout=20):
    """Reads {stream: bytes at a time} little by little, in turns; looks at one only when there was nothing to read."""
    end, left = time.time() + timeout, dict(streams)
    while left and time.time() < end:
        for s, limit in list(left.items()):
            if not s.read(limit) and until(s):
                del left[s]
        time.sleep(0.0005)
    return not left


def basics(h):
    s = Stream(h)
    ok("headers at once", opened(s))
    for line in ("Status: 200", "Content-Type: text/event-stream", "Cache-Control: no-cache", "Connection: keep-alive",
                 "X-Accel-Buffering: no", "X-Content-Type-Options: nosniff"):
        ok("header " + line, line in s.head(), s.head())
    h.log("t1", payload='{"a":"é\\n"}')
    ok("a row comes", s.wait(lambda x: len(x.events()) == 1))
    row, data = s.events()[0]
    ok.equal("its id and object", (row, list(data), data["payload"], data["timestamp"]),
             (1, ["id", "taskId", "agentType", "event", "payload", "timestamp"], '{"a":"é\\n"}', "1970-01-01T00:16:40.000Z"))
    began = time.time()
    h.log("t1")
    s.wait(lambda x: len(x.events()) == 2)
    ok("a bell brings it, long before a look by itself", time.time() - began < 0.4, time.time() - began)
    h.log("t2", ring=False)
    ok("without a bell it comes too", s.wait(lambda x: len(x.events()) == 3, 1))
    ok("nothing is broken", not s.broken and not s.eof, s.broken)
    late = Stream(h)
    ok("a late stream has the history", late.wait(lambda x: x.ids() == [1, 2, 3]), late.ids())
    after = Stream(h, after=2)
    ok("Last-Event-ID", after.wait(lambda x: x.ids() == [3]), after.ids())
    head = Stream(h, head=True)
    ok("HEAD: headers, then the end", head.wait(lambda x: x.eof) and head.end and not head.body() and "200" in head.head())
    other = Stream(h, fcgi_id=770)
    ok("another request id", other.wait(lambda x: x.ids() == [1, 2, 3]) and not other.broken, other.broken)
    h.log("t1")
    ok("ids do not mix", all(x.wait(lambda y: y.ids()[-1] == 4) and not x.broken for x in (s, late, after, other)))
    for x in (s, late, after, other, head):
        x.close()


def filters(h):
    for task, event in (("a", "x"), ("a", "y"), ("b", "x"), (None, "z")) * 3:
        h.log(task, event)
    first = 5
    cases = {
        "task": (dict(task="a"), [5, 6, 9, 10, 13, 14]),
        "event": (dict(event="x"), [5, 7, 9, 11, 13, 15]),
        "task and event": (dict(task="a", event="y"), [6, 10, 14]),
        "unknown task": (dict(task="nope"), []),
        "unknown event": (dict(event="X"), []),
        "task after a row": (dict(task="a", after=9), [10, 13, 14]),
        "tail": (dict(tail=2), [15, 16]),
        "tail of a task": (dict(task="a", tail=3), [10, 13, 14]),
        "tail of an event": (dict(event="y", tail=2), [10, 14]),
        "tail longer than the log": (dict(tail=500, after=first - 1), list(range(5, 17))),
        "tail and after": (dict(tail=10, after=14), [15, 16]),
        "since is later than all": (dict(since=2000), []),
        "since": (dict(since=1000, after=14), [15, 16]),
    }
    streams = {name: Stream(h, **f) for name, (f, _) in cases.items()}
    for name, (_, want) in cases.items():
        s = streams[name]
        s.wait(lambda x: x.ids() == want, 2)
        ok.equal(f"filter: {name}", s.ids(), want)
    h.log("a", "y", time_s=1500)
    h.log("b", "x", time_s=2500)
    time.sleep(0.3)
    live = {"task": [17], "event": [18], "task and event": [17], "tail": [17, 18], "tail of an event": [17],
            "since is later than all": [18], "since": [17, 18], "unknown task": []}
    for name, want in live.items():
        streams[name].read()
        ok.equal(f"live filter: {name}", [i for i in streams[name].ids() if i > 16], want)
    since = Stream(h, since=1500)
    ok("stored rows since", since.wait(lambda x: x.ids() == [17, 18]), since.ids())
    h.log("c", "x", ring=False)
    newest = Stream(h, tail=1)
    ok("the newest row is one that nobody has told of", newest.wait(lambda x: x.ids()) and newest.ids() == [19], newest.ids())
    for s in [*streams.values(), since, newest]:
        s.close()


def many_rows(h):
    """Long histories, bursts, big rows, slow readers."""
    first = h.db.execute("SELECT max(rowid) FROM agent_logs").fetchone()[0]
    live, filtered = Stream(h, after=first), Stream(h, after=first, event="rare")
    opened(live), opened(filtered)
    h.log("m", n=3000)
    h.log("m", "rare")
    h.log("m", n=3000)
    want = list(range(first + 1, first + 6002))
    ok("a burst of 6,001 rows", live.wait(lambda x: len(x.ids()) >= 6001, 10) and live.ids() == want, len(live.ids()))
    ok("the rare event among them", filtered.wait(lambda x: x.ids() == [first + 3001]), filtered.ids())
    again = Stream(h, after=first)
    ok("6,001 stored rows", again.wait(lambda x: len(x.ids()) >= 6001, 10) and again.ids() == want, len(again.ids()))
    rare = Stream(h, after=first, event="rare", task="m")
    ok("a rare stored event", rare.wait(lambda x: x.ids() == [first + 3001]), rare.ids())

    last = first + 6001
    slow = [Stream(h, after=last, small=4096, fcgi_id=i + 1) for i in range(3)]
    for s in slow:
        opened(s)
    big = json.dumps({"text": 'x"\\' * 100000})
    h.log("m", payload=big)
    h.log("m", n=400)
    h.log("m", payload=big)
    want = list(range(last + 1, last + 403))
    ok("live stream is not held up by slow ones", live.wait(lambda x: x.ids()[-1:] == want[-1:], 10), live.ids()[-1:])
    slow_take(dict(zip(slow, (1000, 7777, 60000))), lambda x: x.ids()[-1:] == want[-1:], 60)
    for i, s in enumerate(slow):
        ok(f"slow reader {i}: every row once, nothing broken", s.ids() == want and not s.broken,
           (len(s.ids()), s.broken, s.eof))
        ok(f"slow reader {i}: big payloads whole", [d["payload"] for _, d in s.events() if len(d["payload"]) > 999] == [big, big])
    ok("big rows take several records", slow[0].records > 402 + 2, slow[0].records)
    rss = h.rss()
    h.log("m", "after")
    ok("slow readers are live again", all(s.wait(lambda x: x.ids()[-1] == last + 403) for s in slow))
    print("     resident:", rss, "KiB")
    cut = Stream(h, after=last, small=4096)
    time.sleep(0.3)
    cut.read(5000)  # in the middle of the big row, which then goes
    h.tx([("DELETE FROM agent_logs WHERE rowid = ?", (last + 1,))])
    ok("a row that is gone cannot be finished: the connection ends", slow_take({cut: 40000}, lambda x: x.eof) and not cut.end)
    for s in [live, filtered, again, rare, cut, *slow]:
        s.close()


def deleted_rows(h):
    h.log("gone", n=5)
    top = h.db.execute("SELECT max(rowid) FROM agent_logs").fetchone()[0]
    s = Stream(h, after=top - 5)
    s.wait(lambda x: len(x.ids()) == 5)
    h.tx([("DELETE FROM agent_logs WHERE task_id = 'gone'", ())])
    h.log("fresh", n=2)
    ok("no number comes twice", s.wait(lambda x: x.ids()[5:] == [top + 1, top + 2], 2), s.ids())
    back = Stream(h, after=top)
    ok("a client that comes back misses nothing", back.wait(lambda x: x.ids() == [top + 1, top + 2], 2), back.ids())
    h.tx([("DELETE FROM agent_logs WHERE rowid > ?", (top,)),
          ("INSERT INTO agent_logs (rowid, id, agent_type, event, timestamp) VALUES (?, 'explicit', 'g', 'e', 1)", (top - 2,)),
          ("INSERT INTO agent_logs (id, agent_type, event, timestamp) VALUES ('behind', 'g', 'e', 1)", ())])
    ok("nor where all newer ones are gone, whoever writes", s.wait(lambda x: x.ids()[7:] == [top + 3, top + 4], 2), s.ids())
    s.close(), back.close()


def renumbered_rows(h):
    """Row numbers may still come again in a file that VACUUM has rewritten, or whose triggers are gone."""
    h.tx([("DROP TRIGGER agent_log_added", ())])
    h.log("gone", n=5)
    top = h.db.execute("SELECT max(rowid) FROM agent_logs").fetchone()[0]
    s = Stream(h, after=top - 5)
    s.wait(lambda x: len(x.ids()) == 5)
    h.tx([("DELETE FROM agent_logs WHERE task_id = 'gone'", ())])
    time.sleep(0.4)
    h.log("new", n=2)
    ok("rows that reuse numbers are sent", s.wait(lambda x: x.ids()[5:] == [top - 4, top - 3], 2), s.ids())
    h.tx([("DELETE FROM agent_logs WHERE task_id = 'new'", ()),
          ("INSERT INTO agent_logs (id, agent_type, event, timestamp) VALUES ('again1', 'g', 'e', 1)", ()),
          ("INSERT INTO agent_logs (id, agent_type, event, timestamp) VALUES ('again2', 'g', 'e', 1)", ()),
          ("INSERT INTO agent_logs (id, agent_type, event, timestamp) VALUES ('again3', 'g', 'e', 1)", ())])
    ok("also those that come in the same moment", s.wait(lambda x: x.ids()[7:] == [top - 4, top - 3, top - 2], 2), s.ids())
    ahead = Stream(h, after=top + 1000)
    opened(ahead)
    time.sleep(0.2)
    h.log("next")
    ok("a cursor beyond the end is the end", ahead.wait(lambda x: x.ids() == [top - 1], 2), ahead.ids())
    s.close(), ahead.close()


def approvals(h):
    def ask(i):
        return ("INSERT INTO notifications (id, type, title, created_at) VALUES (?, 'permission_required', 't', ?)", (i, 10))
    a = Stream(h, APPROVALS)
    ok("an empty list at once", a.wait(lambda x: [d for _, d in x.events()] == [[]]), a.text)
    h.tx([ask("n1")])
    ok("a request comes", a.wait(lambda x: len(x.events()) == 2), a.text)
    b = Stream(h, APPROVALS, fcgi_id=9)
    ok("a new stream has the list", b.wait(lambda x: len(x.events()) == 1) and len(b.events()[0][1]) == 1)
    h.tx([("UPDATE notifications SET read = 1", ())])
    h.tx([("INSERT INTO notifications (id, type, title, created_at) VALUES ('q', 'agent_message', 't', 10)", ())])
    time.sleep(0.4)
    a.read(), b.read()
    ok.equal("reading and questions send nothing", (len(a.events()), len(b.events())), (2, 1))
    h.tx([("UPDATE notifications SET response = '{}' WHERE id = 'n1'", ())])
    ok("an answer empties it", a.wait(lambda x: len(x.events()) == 3) and a.events()[-1][1] == [])
    ok("no ids", all(i is None for i, _ in a.events()) and not a.broken and not b.broken)
    slow = Stream(h, APPROVALS, small=2048)
    opened(slow)
    for i in range(300):
        h.tx([ask(f"m{i}")])
        time.sleep(0.002)
    time.sleep(0.2)
    ok("a slow reader gets the newest list in the end", slow.wait(lambda x: len(x.events()) and len(x.events()[-1][1]) == 20, 5)
       and not slow.broken, slow.broken)
    head = Stream(h, APPROVALS, head=True)
    ok("HEAD", head.wait(lambda x: x.eof) and head.end and not head.body())
    for s in (a, b, slow):
        s.close()
    h.tx([("DELETE FROM notifications", ())])


def jobs(h):
    def put(state="ready"):
        h.tx([("INSERT INTO jobs (kind, state, run_at_ms, created_at_ms) VALUES ('k', ?, 0, 0)", (state,))])
        return h.db.execute("SELECT max(id) FROM jobs").fetchone()[0]

    def finish(j, status, result, state="done"):
        h.tx([("UPDATE jobs SET state = ?, result_status = ?, result = ? WHERE id = ?", (state, status, result, j))])

    def answer(s):
        s.wait(lambda x: x.eof, 3)
        return " ".join(s.head().split("\r\n")[0].split()[:2]), s.body(), s.end, s.broken

    j = put()
    s = Stream(h, JOB, job=j, timeout_ms=9000, text="late", fcgi_id=3)
    time.sleep(0.2)
    ok("nothing before the end", not s.read() and not s.eof)
    finish(j, 200, '{"x":1}')
    ok.equal("a job's answer", answer(s), ("Status: 200", '{"x":1}', True, None))
    ok("its headers", "Content-Type: application/json" in s.head() and "Content-Length: 7" in s.head(), s.head())
    ok.equal("already done", answer(Stream(h, JOB, job=j, timeout_ms=9000)), ("Status: 200", '{"x":1}', True, None))
    ok.equal("HEAD of it", answer(Stream(h, JOB, job=j, timeout_ms=9000, head=True)), ("Status: 200", "", True, None))
    j = put()
    s = Stream(h, JOB, job=j, timeout_ms=9000)
    finish(j, 502, '{"error":"no"}', "failed")
    ok.equal("a failed job's answer", answer(s), ("Status: 502", '{"error":"no"}', True, None))
    j = put()
    s = Stream(h, JOB, job=j, timeout_ms=9000)
    finish(j, None, None, "failed")
    ok.equal("a failed job without one", answer(s), ("Status: 500", '{"error":"Internal server error"}', True, None))
    ok.equal("no such job", answer(Stream(h, JOB, job=999999, timeout_ms=9000))[:2], ("Status: 500", '{"error":"Internal server error"}'))
    began = time.time()
    s = Stream(h, JOB, job=put(), timeout_ms=300, text='took "long"')
    ok.equal("timeout", answer(s), ("Status: 500", '{"error":"took \\"long\\""}', True, None))
    ok("at its time", 0.29 < time.time() - began < 3, time.time() - began)
    j = put()
    s, big = Stream(h, JOB, job=j, timeout_ms=9000, small=4096), json.dumps(["y" * 500000])
    finish(j, 200, big)
    slow_take({s: 9000}, lambda x: x.eof)
    ok.equal("a long answer to a slow reader", (s.body() == big, s.end, s.broken), (True, True, None))
    s = Stream(h, JOB, job=put(), timeout_ms=60000)
    s.close()


def limits(h):
    keep = [Stream(h) for _ in range(40)]
    ok("40 streams", all(opened(s) for s in keep))
    s = Stream(h, fcgi_id=5)
    ok("one more is refused", s.wait(lambda x: x.eof) and "503" in s.head() and s.body() == '{"error":"Too many streams"}' and s.end, s.text)
    keep.pop().close()
    time.sleep(0.05)
    s = Stream(h)
    ok("a place that is free is given", opened(s) and "200" in s.head())
    for x in [s, *keep]:
        x.close()
    time.sleep(0.1)
    before = h.cpu()
    for _ in range(200):
        h.log("quiet")
    ok("without streams nothing is read", h.cpu() - before < 0.05, h.cpu() - before)
    for bad in (b"short", b"\xff" * 824):
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.connect(str(h.run / "hub.sock"))
        for _ in range(3):
            mine, other = socket.socketpair()
            try:
                c.sendmsg([bad], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [other.fileno()]))])
            except OSError:
                pass
            other.close()
            mine.settimeout(2)
            ok("the connection of a bad ticket is closed", mine.recv(1) == b"")
        try:
            c.send(b"no descriptor")
        except OSError:
            pass
        c.close()
    s = Stream(h, tail=1)
    ok("bad tickets do no harm", opened(s))
    s.close()


def database_error(h):
    """A table that is missing for a while."""
    s, a = Stream(h, tail=1), Stream(h, APPROVALS)
    s.wait(lambda x: len(x.ids()) == 1), a.wait(lambda x: len(x.events()) == 1)
    h.tx([("ALTER TABLE agent_logs RENAME TO agent_logs_away", ())])
    ok("a database error is said", s.wait(lambda x: x.events()[-1] == (None, {"type": "error", "message": "Database query failed"})), s.text)
    n = len(s.events())
    time.sleep(1.5)
    s.read()
    ok("then a pause of 2 s", len(s.events()) == n)
    ok("and it is said again", s.wait(lambda x: len(x.events()) == n + 1, 2))
    h.tx([("ALTER TABLE agent_logs_away RENAME TO agent_logs", ())])
    h.log("back")
    ok("afterwards the stream goes on", s.wait(lambda x: x.events()[-1][1].get("taskId") == "back", 4), s.text[-300:])
    a.read()
    ok("approvals streams were told nothing", len(a.events()) == 1 and not a.eof)
    s.close(), a.close()


def clocks(h):
    for task, status in (("run", "running"), ("done", "completed"), ("ends", "running")):
        h.task(task, status)
        h.log(task)
    began = time.time()
    idle, busy = Stream(h, task="nothing"), Stream(h, tail=1)
    ends = {t: Stream(h, task=t, one_task=True) for t in ("run", "done", "ends", "unknown")}
    plain = Stream(h, task="done")
    # Two that take nothing: one whose socket is full, one that is hardly ever spoken to.
    full, mute = Stream(h, small=4096), Stream(h, task="nobody")
    over = {}
    beats = []
    h.log("filler", n=2000)
    while time.time() - began < 82:
        now = time.time() - began
        for name, s in ends.items():
            s.read()
            if s.eof and name not in over:
                over[name] = now
        if idle.read():
            n = idle.text.count(b": keepalive\n\n")
            beats += [now] * (n - len(beats))
        busy.read()
        if now > 5 and "late" not in over:
            over["late"] = now
            h.tx([("UPDATE tasks SET status = 'cancelled' WHERE id = 'ends'", ()),
                  ("INSERT INTO agent_logs (id, task_id, agent_type, event, timestamp) VALUES ('last', 'ends', 'g', 'e', 1)", ())])
        if not any(abs(now - x) < 0.5 for x in over.values()):
            time.sleep(0.01)
    ok("keep-alive every 15 s from the opening", len(beats) == 5 and all(-0.3 < b - 15 * (i + 1) < 3 for i, b in enumerate(beats)), beats)
    ok("keep-alive on others too", busy.text.count(b": keepalive\n\n") == 5)
    ok("stream of an ended task ends after 10 s", 9.9 < over.get("done", 0) < 13 and ends["done"].end, over)
    ok("of an unknown task too", 9.9 < over.get("unknown", 0) < 13 and ends["unknown"].end, over)
    ok("10 s after the last row", 9.9 < over.get("ends", 0) - over["late"] < 13 and ends["ends"].ids()[-1:] and ends["ends"].events()[-1][1]["id"] == "last", over)
    ok("of a running task not", "run" not in over and not ends["run"].eof)
    ok("nor one of the general streams", not plain.eof)
    slow_take({full: 100000}, lambda x: x.eof, 3)
    ok("a reader that takes nothing for 60 s is closed", full.eof and not full.end)
    slow_take({mute: 100000}, lambda x: x.eof, 3)
    ok("also one that is not full", mute.eof and not mute.end)
    for s in [idle, busy, plain, full, mute, *ends.values()]:
        s.close()


def the_end(h):
    streams = [Stream(h, tail=1) for _ in range(20)]
    stuck = Stream(h, small=4096)
    a = Stream(h, APPROVALS)
    for s in [*streams, a, stuck]:
        opened(s)
    h.tx([("INSERT INTO jobs (kind, state, run_at_ms, created_at_ms) VALUES ('k', 'ready', 0, 0)", ())])
    j = h.db.execute("SELECT max(id) FROM jobs").fetchone()[0]
    waits = Stream(h, JOB, job=j, timeout_ms=20000, text="late")
    time.sleep(0.2)
    old, old_conn = h.proc, h.conn()
    h._conn = None
    h.start()  # the successor
    old.send_signal(signal.SIGTERM)
    began = time.time()
    ok("streams end with a retry hint", all(s.wait(lambda x: x.eof, 3) and s.end and s.body().endswith("retry: 500\n\n") for s in [*streams, a]),
       [(s.eof, s.end, s.body()[-40:]) for s in [*streams, a]][-2:])
    try:
        old_conn.send(b"x")
        ok("a worker that comes late is told", False)
    except OSError as e:
        ok("a worker that comes late is told", isinstance(e, BrokenPipeError), e)
    old.wait(5)
    ok("exit within 2 s, status 0", time.time() - began < 2 and old.returncode == 0, (time.time() - began, old.returncode))
    ok("a full one is cut", stuck.wait(lambda x: x.eof, 3))
    ok("a waiting answer has moved to the next hub", not waits.read() and not waits.eof)
    h.tx([("UPDATE jobs SET state = 'done', result_status = 201, result = '[]' WHERE id = ?", (j,))])
    ok("which gives it", waits.wait(lambda x: x.eof, 3) and "201" in waits.head() and waits.body() == "[]" and waits.end)
    waits = Stream(h, JOB, job=999, timeout_ms=20000)
    waits.wait(lambda x: x.eof)
    h.tx([("UPDATE jobs SET state = 'ready' WHERE id = ?", (j,))])
    waits = Stream(h, JOB, job=j, timeout_ms=20000)
    time.sleep(0.1)
    status, took = h.stop()
    ok("without a next hub it is refused", waits.wait(lambda x: x.eof, 2) and "503" in waits.head() and waits.end, waits.text)
    ok("and the hub ends at once", status == 0 and took < 2, (status, took))
    ok("its socket is gone", not (h.run / "hub.sock").exists())


def main():
    with Hub({"streams.max": 40}) as h:
        for part in (basics, filters, many_rows, deleted_rows, renumbered_rows, approvals, jobs, limits, database_error):
            print(f"--- {part.__name__}")
            part(h)
        if not FAST:
            print("--- clocks")
            clocks(h)
        print("--- the end")
        the_end(h)
    ok.done()


main()
