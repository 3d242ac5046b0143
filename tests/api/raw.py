"""What only bytes on a socket can show: the exact text of answers, hostile requests, streams as they are framed.

Run against one web server: raw.py [nginx|lighttpd]. A hostile request may be refused by the web server or by the programs,
but always with a clear 4xx (JSON where the programs or the templates answer) or by closing the connection, never with a 5xx
other than 501 and 505, which say what they mean; what comes after it is answered as ever.
"""
import json, os, re, socket, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main, request


class Conn:
    """A socket to the web server that sends and reads bytes."""

    def __init__(self, stack, timeout=15):
        self.s = socket.create_connection(("127.0.0.1", stack.port), timeout)
        self.buf = b""

    def send(self, data):
        try:
            self.s.sendall(data)
        except OSError:
            pass  # refused while we were still sending
        return self

    def until(self, what, timeout=10):
        """Everything up to and with WHAT; what there is when the time is over or the other side closes."""
        end = time.time() + timeout
        while what not in self.buf and time.time() < end:
            self.s.settimeout(max(0.01, end - time.time()))
            try:
                more = self.s.recv(65536)
            except OSError:
                break
            if not more:
                break
            self.buf += more
        cut = self.buf.find(what)
        cut = len(self.buf) if cut < 0 else cut + len(what)
        out, self.buf = self.buf[:cut], self.buf[cut:]
        return out

    def rest(self, timeout=10):
        return self.until(b"\0never\0", timeout)

    def close(self):
        self.s.close()


def unchunk(head, body):
    if b"transfer-encoding: chunked" not in head.lower():
        return body
    out = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        n = int(size.split(b";")[0] or b"0", 16)
        if not n:
            return out
        out, body = out + body[:n], body[n + 2:]


def ask(stack, data, timeout=10, close=True):
    """(status or 0, head, body) of one request given as bytes."""
    c = Conn(stack, timeout)
    got = c.send(data).rest(timeout)
    c.close()
    head, _, body = got.partition(b"\r\n\r\n")
    m = re.match(rb"HTTP/1\.[01] (\d{3})", head)
    return (int(m[1]) if m else 0), head, unchunk(head, body)


def req(method, path, body=b"", host=b"127.0.0.1", extra=b""):
    length = b"Content-Length: %d\r\n" % len(body) if body or method in (b"POST", b"PUT", b"PATCH") else b""
    return b"%s %s HTTP/1.1\r\nHost: %s\r\nConnection: close\r\n%s%s\r\n%s" % (method, path, host, extra, length, body)


def exact(s, check):
    """Texts that contain JSON are compared as text, so order and form of the bytes matter."""
    post = lambda path, text: request(s.port, "POST", path, text.encode())[2].decode()
    p = post("/api/projects",
        '{"workingDirectory":"","description":"/<&>\\u2028\\u007f\\u00e9\\"\\\\\\b\\f\\n\\r\\t\\u0001","name":"k"}')
    check("projects: keys in order, compact, escapes",
        re.fullmatch(r'\{"id":"[0-9a-f-]{36}","name":"k","description":"/<&>\u2028\x7fé\\"\\\\\\b\\f\\n\\r\\t\\u0001","workingDirectory":"","status":"active","createdAt":"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.000Z","updatedAt":"[^"]+"\}', p), p)
    ids = re.search(r'"id":"([0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12})"', p)
    check("ids are UUIDs of version 4 in lower case", ids, p)
    t = post("/api/tasks", '{"title":"t","projectId":"%s"}' % ids[1])
    check("tasks: keys in order", list(json.loads(t)) == ["id", "projectId", "workflowId", "scheduleId", "title", "description",
            "status", "assignedAgent", "agentProfile", "priority", "result", "sessionId", "resumeCount", "sourceType",
            "workflowRunNumber", "createdAt", "updatedAt"], t)
    one = request(s.port, "GET", "/api/tasks/" + json.loads(t)["id"])[2].decode()
    check("names come last", list(json.loads(one))[-1] == "projectName", one)
    lst = request(s.port, "GET", "/api/projects")[2].decode()
    check("taskCount is last", list(json.loads(lst)[0])[-1] == "taskCount", lst)
    for given, want in (("2.0", "2"), ("-0", "0"), ("0.1", "0.1"), ("1e-7", "1e-7"),
        ("0.30000000000000004", "0.30000000000000004"), ("1.5e0", "1.5"), ("0.000001", "0.000001"), ("1.23e-10", "1.23e-10"),
        ("2.5", "2.5")):
        got = re.search(r'"priority":([^,]+),', post("/api/tasks", '{"title":"n","priority":%s}' % given))
        check.equal(f"number {given}", got and got[1], want)
    e = post("/api/tasks", '{"title":""}')
    check.equal("an error to the letter", e, '{"error":{"formErrors":[],"fieldErrors":{"title":["Title is required"]}}}')
    status, head, body = ask(s, req(b"GET", b"/api/tasks/nope"))
    check.equal("a plain error to the letter", (status, body), (404, b'{"error":"Not found"}'))
    check("one content type without charset", re.search(rb"(?mi)^content-type: application/json\r?$", head), head)
    status, head, body = ask(s, req(b"OPTIONS", b"/api/tasks"))
    check("204 has no body and no type", status == 204 and not body and b"content-type" not in head.lower(), head)
    status, head, body = ask(s, req(b"HEAD", b"/api/tasks/nope"))
    check("HEAD has no body", status == 404 and not body, (head, body))


HOSTILE = {
    "empty line": b"\r\n\r\n", "garbage": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "no version": b"GET /api/tasks\r\n\r\n",
    "bad version": b"GET /api/tasks HTTP/9.9\r\nHost: localhost\r\n\r\n",
    "no host": b"GET /api/tasks HTTP/1.1\r\nConnection: close\r\n\r\n",
    "two hosts": b"GET /api/tasks HTTP/1.1\r\nHost: localhost\r\nHost: evil.example\r\nConnection: close\r\n\r\n",
    "two lengths": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\nContent-Length: 5\r\nConnection: close\r\n\r\n{}xxx",
    "negative length": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: -1\r\nConnection: close\r\n\r\n{}",
    "huge length": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999999999999999\r\nConnection: close\r\n\r\n{}",
    "length of letters": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2x\r\nConnection: close\r\n\r\n{}",
    "bad chunks": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\nConnection: close\r\n\r\nzz\r\n{}\r\n0\r\n\r\n",
    "unknown coding": b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip\r\nConnection: close\r\n\r\n{}",
    "header without colon": b"GET /api/nope HTTP/1.1\r\nHost: localhost\r\nrubbish\r\nConnection: close\r\n\r\n",
    "NUL in a header": b"GET /api/nope HTTP/1.1\r\nHost: localhost\r\nX-A: a\x00b\r\nConnection: close\r\n\r\n",
    "NUL in the path": req(b"GET", b"/api/tasks/a\x00b"), "escaped NUL": req(b"GET", b"/api/tasks/a%00b"),
    "escaped line end": req(b"GET", b"/api/tasks/a%0d%0aX:%20y"),
    "raw bytes in the path": req(b"GET", b"/api/tasks/\xff\xfe"), "dots": req(b"GET", b"/api/tasks/../../../../etc/passwd"),
    "escaped dots": req(b"GET", b"/api/tasks/%2e%2e/%2e%2e/etc/passwd"),
    "backslashes": req(b"GET", b"/api\\tasks\\..\\x"), "a fragment": req(b"GET", b"/api/nope#x"),
    "absolute form": req(b"GET", b"http://evil.example/api/nope"), "asterisk": req(b"OPTIONS", b"*"),
    "CONNECT": req(b"CONNECT", b"evil.example:443"),
    "unknown method": req(b"BREW", b"/api/tasks"), "TRACE": req(b"TRACE", b"/api/tasks"),
    "lower case method": req(b"get", b"/api/tasks"), "long method": req(b"X" * 5000, b"/api/tasks"),
    "a long path": req(b"GET", b"/api/tasks/" + b"a" * 20000), "a long query": req(b"GET",
        b"/api/tasks?status=bad&x=" + b"a" * 20000), "a long header": req(b"GET", b"/api/nope",
        extra=b"X-Long: " + b"a" * 70000 + b"\r\n"),
    "a flood of headers": req(b"GET", b"/api/nope", extra=b"".join(b"X-%d: y\r\n" % i for i in range(5000))),
    "Host with a blank": req(b"GET", b"/api/tasks", host=b"local host"), "empty Host": req(b"GET", b"/api/tasks", host=b""),
    "Host with a path": req(b"GET", b"/api/tasks", host=b"localhost/evil.example"),
    "Host with user": req(b"GET", b"/api/tasks", host=b"localhost@evil.example"),
}
REFUSED = {  # by the web server itself
    "a coding that nobody knows": (req(b"POST", b"/api/projects", extra=b"Transfer-Encoding: gzip\r\n").replace(b"Content-Length: 0\r\n", b""), 501, "Not implemented"),
    "a version to come": (b"GET /api/tasks HTTP/3.5\r\nHost: localhost\r\n\r\n", 505, "HTTP version not supported"),
}
FINE = {  # odd, but to be answered as said
    "a flood of query keys": (req(b"GET", b"/api/tasks?status=bad&" + b"&".join(b"k%d=1" % i for i in range(800))), 400),
    "query of rubbish": (req(b"GET", b"/api/tasks?status=bad&%zz=%&=&&&=x"), 400),
    "HTTP/1.0": (b"GET /api/tasks/nope HTTP/1.0\r\nHost: localhost\r\n\r\n", 404),
    "chunked body": (req(b"POST", b"/api/tasks/nope/respond",
        extra=b"Transfer-Encoding: chunked\r\n").replace(b"Content-Length: 0\r\n", b"") + b"2\r\n{}\r\n0\r\n\r\n", 400),
    "Expect": (req(b"POST", b"/api/projects", b"{}", extra=b"Expect: 100-continue\r\n"), 400),
    "forbidden proxy header": (req(b"GET", b"/api/tasks/nope", extra=b"Proxy: http://evil.example\r\n"), 404),
    "many parameters of ours": (req(b"GET", b"/api/notifications?" + b"&".join([b"type=zap"] * 300)), 200),
}


def hostile(s, check):
    for name, data in HOSTILE.items():
        if name == "asterisk" and s.server == "lighttpd":
            continue  # it answers OPTIONS * itself, with 200, as it may
        status, head, body = ask(s, data, timeout=4)
        json_ok = True
        if status >= 400 and b"application/json" in head.lower() and not data.startswith(b"HEAD"):
            try:
                json_ok = isinstance(json.loads(body).get("error"), (str, dict))
            except ValueError:
                json_ok = False
        check(f"hostile: {name}", status == 0 or (300 <= status < 500 or status in (501, 505)) and json_ok,
            (status, body[:200]))
    for name, (data, want) in FINE.items():
        status, head, body = ask(s, data, timeout=8)
        if status == 100:
            status = int(re.search(rb"HTTP/1\.1 (\d+)", body)[1])
        check.equal(f"odd, but fine: {name}", status, want)
    for name, (data, status, words) in REFUSED.items():
        got, head, body = ask(s, data, timeout=8)
        check.equal(f"{name}: the web server's own words", (got, body), (status, json.dumps({"error": words}, separators=(",", ":")).encode()))
        check(f"{name}: as JSON", re.search(rb"(?mi)^content-type: application/json\r?$", head), head)
    before = len(s.ok("GET", "/api/projects"))
    for name, body, length in (("truncated body", b'{"name":"trunc', 40), ("no body at all", b"", 40),
        ("whole text, short of its length", b'{"name":"trunc"}', 40)):
        c = Conn(s)
        c.send(b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % (length, body))
        time.sleep(0.1)
        c.close()
        time.sleep(0.2)
        check.equal(f"{name}, then gone: nothing is written", len(s.ok("GET", "/api/projects")), before)
    c = Conn(s)
    for i in range(20):
        c.send(b"GET /api/tasks/nope%d HTTP/1.1\r\nHost: localhost\r\n\r\n" % i)
    got = c.rest(2)
    check.equal("twenty requests down one pipe", got.count(b"HTTP/1.1 404"), 20)
    c.close()
    slow = [Conn(s) for _ in range(50)]
    for x in slow:
        x.send(b"POST /api/projects HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000\r\n\r\n{")
    began = time.time()
    check.equal("fifty slow bodies hold up nobody", request(s.port, "GET", "/api/tasks/nope", timeout=5)[0], 404)
    check("not for long", time.time() - began < 3, time.time() - began)
    for x in slow:
        x.close()
    check.equal("well after all that", request(s.port, "GET", "/api/projects")[0], 200)
    check("no internal error in the log", "Internal server error" not in s.log("master"))


def frames(text):
    return [f for f in text.split(b"\n\n") if f.startswith(b"id:") or f.startswith(b"data:")]


def streams(s, check):
    def open_stream(path, extra=b""):
        c = Conn(s, 30)
        c.send(b"GET %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n" % (path.encode(), extra))
        began = time.time()
        head = c.until(b"\r\n\r\n", 5)
        return c, head, time.time() - began

    def text(c, seconds):
        got = c.rest(seconds)
        return re.sub(rb"(?:^|\r\n)[0-9a-f]+\r\n", b"", got).replace(b"\r\n", b"") if b"\r\n" in got else got

    c, head, took = open_stream("/api/logs/stream?taskId=nope")
    check("a silent stream sends its headers at once", b" 200 " in head and took < 3, (took, head))
    low = head.lower()
    check("stream headers",
        b"content-type: text/event-stream\r\n" in low and b"cache-control: no-cache" in low and b"access-control" not in low,
        head)
    t = s.start_task("stream", "[[tool list_projects {}]] [[say streamed]]")
    n = s.wait_request(t)
    d, _, _ = open_stream(f"/api/tasks/{t}/logs")
    e, _, _ = open_stream(f"/api/logs/stream?taskId={t}")
    first = text(d, 1.5)
    check("every event: id line, one data line, empty line", re.fullmatch(rb"(?:id: \d+\ndata: \{[^\n]*\}\n\n|: [^\n]*\n\n)+",
            first), first[:300])
    ids = [int(x) for x in re.findall(rb"(?m)^id: (\d+)$", first)]
    check("ids rise", ids == sorted(set(ids)) and len(ids) >= 3, ids)
    check.equal("no event and retry lines", re.findall(rb"(?m)^(event|retry):", first), [])
    check.equal("keys of a log object in order", list(json.loads(re.search(rb"data: (.*)", first)[1])),
        ["id", "taskId", "agentType", "event", "payload", "timestamp"])
    began = time.time()
    s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
    more = text(d, 2.5)
    check("new rows come as they are written", b'"event":"completed"' in more, more[:300])
    both = text(e, 1.0)
    check.equal("both streams send the same", [f.partition(b"\n")[2] for f in frames(both)],
        [f.partition(b"\n")[2] for f in frames(first + more)])
    allids = [int(x) for x in re.findall(rb"(?m)^id: (\d+)$", first + more)]
    for name, path in (("log stream", f"/api/logs/stream?taskId={t}"), ("stream of the task", f"/api/tasks/{t}/logs")):
        r, _, _ = open_stream(path, b"Last-Event-ID: %d\r\n" % ids[1])
        got = [int(x) for x in re.findall(rb"(?m)^id: (\d+)$", text(r, 1.5))]
        check.equal(f"{name} resumed: misses and repeats nothing", got, [i for i in allids if i > ids[1]])
        r.close()
    r, _, _ = open_stream(f"/api/logs/stream?taskId={t}&tail=2")
    check.equal("tail: the newest two", [int(x) for x in re.findall(rb"(?m)^id: (\d+)$", text(r, 1.2))], allids[-2:])
    r.close()
    status, head, body = ask(s, req(b"GET", b"/api/tasks/%s/logs" % t.encode(), extra=b"Last-Event-ID: %d\r\n" % allids[-1]),
        timeout=5)
    check.equal("at the end of an ended task's log: 204, do not come back", (status, body), (204, b""))
    p, _, _ = open_stream("/api/notifications/pending-approvals/stream")
    opening = text(p, 1.5)
    check("the approvals stream opens with the list", opening.startswith(b"data: [") and opening.endswith(b"]\n\n"),
        opening[:200])
    check("and says it once", opening.count(b"data:") == 1, opening[:200])
    u = s.start_task("pending", "[[tool list_projects {}]] [[say x]]")
    n = s.wait_request(u)
    pushed = text(p, 2)
    check("a new request is pushed", n["notificationId"].encode() in pushed and pushed.count(b"data:") == 1, pushed[:300])
    s.ok("PATCH", f"/api/notifications/{n['notificationId']}", {"read": True})
    check.equal("reading sends nothing", text(p, 1.5), b"")
    s.ok("POST", f"/api/tasks/{u}/respond", {"notificationId": n["notificationId"], "behavior": "deny"})
    check.equal("an answer sends the list without it", text(p, 2), b"data: []\n\n")
    p.close()
    quiet = text(c, 17)
    check("a keep-alive comment every 15 s", re.fullmatch(rb"(?:: keepalive\n\n)+", quiet), quiet)
    hub = s.pids()["hub"]
    open_before = len(os.listdir(f"/proc/{hub[0]}/fd")) if hub else 0
    gone = [open_stream("/api/logs/stream?taskId=nope")[0] for _ in range(20)]
    for x in [*gone, c, d, e]:
        x.close()
    left = s.until(lambda: len(os.listdir(f"/proc/{hub[0]}/fd")) if hub else 99, lambda k: k is not None and k <= open_before,
        17, 0.5)
    check("clients that have gone cost nothing within a keep-alive", left <= open_before, (left, open_before))


def too_many(server, check):
    with Stack(server=server, options={"streams.max": 3}) as s:
        held = []
        for i in range(3):
            c = Conn(s)
            c.send(b"GET /api/logs/stream?taskId=nope HTTP/1.1\r\nHost: localhost\r\n\r\n")
            held.append((c, c.until(b"\r\n\r\n", 5)))
        check.equal("streams up to the limit", [b" 200 " in h for _, h in held], [True] * 3)
        status, head, body = ask(s, req(b"GET", b"/api/logs/stream"), timeout=5)
        check.equal("one more", (status, body), (503, b'{"error":"Too many streams"}'))
        check.equal("other requests go on", request(s.port, "GET", "/api/projects")[0], 200)
        held[0][0].close()
        again = s.until(lambda: ask(s, req(b"HEAD", b"/api/logs/stream"), 3)[0], lambda x: x == 200, 17, 0.5)
        check.equal("room again when one has gone", again, 200)
        for c, _ in held:
            c.close()


def test(check):
    server = next((a for a in sys.argv[1:] if a in ("nginx", "lighttpd")), "nginx")
    with Stack(server=server) as s:
        for part in (exact, hostile, streams):
            try:
                part(s, check)
            except Exception as e:
                check(f"{part.__name__}: no exception", False, f"{type(e).__name__}: {e}")
        s.failed = check.failed > 0
    too_many(server, check)


main(test)
