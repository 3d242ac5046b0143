"""Many event streams through the web server: streams.py [N] [nginx|lighttpd]   (default 1,000)

All are answered; an event reaches each; workers stay free; a stream resumed with Last-Event-ID misses and repeats nothing; the hub's
memory is printed (and must stay under 32 MB at 10,000 streams).
"""
import os, re, select, socket, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main, memory, request

HUB_MAX_KB = 32 * 1024


class Reader:
    """N streams in one epoll loop; counts what each has got."""

    def __init__(self, port, paths, headers=()):
        self.poll, self.at = select.epoll(), {}
        self.buf, self.status, self.closed = {}, {}, 0
        self.todo = list(zip(paths, headers or [b""] * len(paths)))
        self.port, self.n = port, len(paths)

    def open(self, timeout=60):
        """Opens all, a hundred unanswered ones at a time; returns how many were answered 200."""
        end = time.time() + timeout
        i = 0
        while (len(self.status) < self.n) and time.time() < end:
            while i < self.n and i - len(self.status) < 100:
                path, extra = self.todo[i]
                k = socket.create_connection(("127.0.0.1", self.port), 10)
                k.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path.encode(), extra))
                k.setblocking(False)
                self.at[k.fileno()] = (i, k)
                self.buf[i] = b""
                self.poll.register(k.fileno(), select.EPOLLIN)
                i += 1
            self.read(0.2)
        return sum(v == 200 for v in self.status.values())

    def read(self, seconds):
        for fd, _ in self.poll.poll(seconds, 1000):
            i, k = self.at[fd]
            try:
                data = k.recv(65536)
            except BlockingIOError:
                continue
            except OSError:
                data = b""
            if not data:
                self.closed += 1
                self.poll.unregister(fd)
                k.close()
                del self.at[fd]
                self.status.setdefault(i, 0)
                continue
            self.buf[i] += data
            if i not in self.status and b"\r\n\r\n" in self.buf[i]:
                head, _, rest = self.buf[i].partition(b"\r\n\r\n")
                self.status[i] = int(head.split()[1])
                self.buf[i] = rest

    def until(self, good, seconds):
        """Reads until every stream's text is GOOD; how many are."""
        end = time.time() + seconds
        while True:
            n = sum(bool(good(b)) for b in self.buf.values())
            if n == self.n or time.time() > end:
                return n
            stop = time.time() + 0.3
            while time.time() < stop:
                self.read(0.1)

    def ids(self, i):
        return [int(x) for x in re.findall(rb"(?m)^id: (\d+)", self.buf[i])]

    def close(self):
        for _, k in self.at.values():
            k.close()


def test(check):
    n = next((int(a) for a in sys.argv[1:] if a.isdigit()), 1000)
    server = "lighttpd" if "lighttpd" in sys.argv else "nginx"
    with Stack(server=server, options={"streams.max": 2 * n + 200}, connections=2 * n + 4096) as s:
        t = s.ok("POST", "/api/tasks", {"title": "watched", "description": "[[tool list_projects {}]] [[say seen by all]]",
                "assignedAgent": "anthropic-direct"})["id"]
        r = Reader(s.port, [f"/api/tasks/{t}/logs" if i % 2 else f"/api/logs/stream?taskId={t}" for i in range(n)])
        began = time.time()
        check.equal(f"{n} streams are answered", r.open(), n)
        print(f"     opened in {time.time() - began:.1f} s")
        took = []
        for _ in range(20):
            began = time.time()
            check_status = request(s.port, "GET", "/api/projects")[0]
            took.append(time.time() - began)
        check("workers are free", check_status == 200 and sorted(took)[10] < 0.5, sorted(took)[10])
        s.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
        began = time.time()
        s.ok("POST", f"/api/tasks/{t}/execute")
        check.equal("the first event reaches each", r.until(lambda b: b'"event":"started"' in b, 30), n)
        print(f"     after {time.time() - began:.1f} s")
        ask = s.wait_request(t)
        middle = r.until(lambda b: b'"event":"tool_start"' in b, 30)
        check.equal("and so do those before the question", middle, n)
        some = range(0, n, max(1, n // 200))
        last = [r.ids(i)[-1] for i in some]
        again = Reader(s.port, [f"/api/logs/stream?taskId={t}" for _ in some], [b"Last-Event-ID: %d\r\n" % x for x in last])
        check.equal("resumed streams are answered", again.open(), len(some))
        s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": ask["notificationId"], "behavior": "allow"})
        s.wait_task(t)
        check.equal("the last event reaches each", r.until(lambda b: b'"event":"completed"' in b, 30), n)
        check.equal("and the resumed ones", again.until(lambda b: b'"event":"completed"' in b, 10), len(some))
        rows = [x["rowid"] for x in s.rows("SELECT rowid FROM agent_logs WHERE task_id=? ORDER BY rowid", t)]
        wrong = [r.ids(i) for i in range(n) if r.ids(i) != rows]
        check("each stream has each row once, in order", not wrong, (len(wrong), wrong[:1], rows))
        wrong = [again.ids(k) for k, i in enumerate(some) if again.ids(k) != [x for x in rows if x > last[k]]]
        check("resumed with Last-Event-ID: misses and repeats nothing", not wrong, (len(wrong), wrong[:1]))
        hub = s.pids()["hub"]
        held = max((len(os.listdir(f"/proc/{p}/fd")) for p in hub), default=0)
        check("it is the hub that holds them", held >= n + len(some), held)
        rss = max((memory(p, "Rss") for p in hub), default=0)
        print(f"     hub: {rss / 1024:.1f} MB resident with {n + len(some)} streams")
        check("hub under 32 MB", 0 < rss < HUB_MAX_KB, rss)
        r.close()
        again.close()
        s.failed = check.failed > 0


main(test)
