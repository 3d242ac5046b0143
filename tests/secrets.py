"""Keys stay where they belong: distinctive ones are stored through the API and put into the environment, runs and assists go wrong in
every way in which a provider can send a key back, and then none of them is to be found in the answers of the API, in what processes
write, in their titles, in the database or in any file below the data folder; and the stored ones in the environment of no process.

The environment's own keys are in that of Stagent's programs, because the operator put them there; in a program that these start
(the version check of stagentctl doctor) they are not. The strange keys have characters that no pattern of keys expects.
"""
import json, os, re, socket, subprocess, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from runtimes import profile
from stack import KEY, Stack, descendants, main, request, title

STORED = {"anthropic": "sk-ant-QqZqStoredQqZq0123456789abcdef", "openai": "sk-QqZqStoredOpenQqZq0123456789abc"}
STRANGE = {"anthropic": "sk-ant-QqZq.QqZqstrange/QqZqKey+QqZq=QqZq:QqZqEnd", "openai": "sk-QqZq~QqZqstrange.QqZqopen/QqZqKey+QqZqEnd"}
ENVIRONMENT = {"anthropic": "QqZqEnvironmentQqZq-no-form-at-all", "openai": "QqZqEnvironOpenQqZq-no-form-at-all"}
MARKS = re.compile(rb"QqZq")  # in every part of every key, and in nothing else
WAYS = ("status", "plain", "stream", "late", "hang")
RUNTIMES = ("anthropic-direct", "openai-direct", "ollama", "claude-code")


class Echo(BaseHTTPRequestHandler):
    """Sends the key of every request back, in the way that the text names."""
    protocol_version = "HTTP/1.1"
    keys, hanging = set(), threading.Event()

    def log_message(self, *args):
        pass

    def send(self, status, kind, text):
        data = text.encode()
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(data)))
        self.send_header("request-id", self.key)
        self.send_header("x-should-retry", "false")
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.key = "none"
        self.send(200, "application/json", '{"version":"0.9.0","models":[]}')

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"])).decode()
        self.key = self.headers.get("x-api-key") or self.headers.get("authorization", "").removeprefix("Bearer ")
        if self.key:
            Echo.keys.add(self.key)
        if not self.key:  # Ollama is given none; it may know one all the same
            self.key = STORED["anthropic"]
        way = next((w for w in WAYS if f"way={w}" in raw), "status")
        words = f"Incorrect API key provided: {self.key}. See 'x-api-key: {self.key}'"
        error = {"type": "authentication_error", "code": self.key, "message": words}
        if way == "hang":
            Echo.hanging.set()
            return time.sleep(20)
        if way == "plain":
            return self.send(403, "text/html", f"<h1>{words}</h1>")
        if way == "status":
            return self.send(401, "application/json", json.dumps({"type": "error", "error": words if self.path == "/api/chat" else error}))
        if self.path == "/api/chat":
            first = json.dumps({"message": {"role": "assistant", "content": "a"}, "done": False}) + "\n" if way == "late" else ""
            return self.send(200, "application/x-ndjson", first + json.dumps({"error": words}) + "\n")
        events = []
        if way == "late" and "/messages" in self.path:
            events = [{"type": "message_start", "message": {"id": "m", "model": "m", "content": [], "usage": {"input_tokens": 1, "output_tokens": 1}}}]
        elif way == "late":
            events = [{"type": "response.output_text.delta", "delta": "a"}]
        events.append({"type": "error", "error": error, **error, "type": "error"})
        self.send(200, "text/event-stream", "".join(f"event: {e['type']}\ndata: {json.dumps(e)}\n\n" for e in events))


class Recorder:
    """A client that keeps every answer."""

    def __init__(self, s):
        self.s, self.answers = s, []

    def __call__(self, method, path, body=None):
        raw = None if body is None else json.dumps(body).encode()
        status, head, text = request(self.s.port, method, path, raw)
        self.answers.append((f"{method} {path}", repr(head).encode() + text))
        return json.loads(text) if head.get("content-type", "").startswith("application/json") and text else None

    def stream(self, path):
        """What a stream sends in its first second."""
        with socket.create_connection(("127.0.0.1", self.s.port), timeout=1) as c:
            c.sendall(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            text, end = b"", time.time() + 1
            try:
                while time.time() < end:
                    text += c.recv(65536)
            except OSError:
                pass
        self.answers.append((f"GET {path}", text))

    def everything(self):
        """Asks for whatever can be read."""
        for path, operations in self("GET", "/api/openapi.json")["paths"].items():
            if "get" in operations and "{" not in path and not path.endswith("stream"):
                self("GET", path)
        for t in self("GET", "/api/tasks"):
            for part in ("", "/output", "/provenance"):
                self("GET", f"/api/tasks/{t['id']}{part}")
            self.stream(f"/api/tasks/{t['id']}/logs") if t["title"] == "last" else None
        self.stream("/api/logs/stream")
        self.stream("/api/notifications/pending-approvals/stream")


def of_process(pid, what):
    try:
        return open(f"/proc/{pid}/{what}", "rb").read()
    except OSError:
        return b""


def fail_everywhere(s, api, ways):
    """A run in every way on every runtime, an assist and a connection test on each; how many of the runs failed."""
    tasks = []
    for runtime in RUNTIMES:
        for way in ways:
            t = api("POST", "/api/tasks", {"title": "last" if way == ways[-1] else way, "description": f"way={way}",
                    "assignedAgent": runtime, "agentProfile": "rt"})["id"]
            api("PATCH", f"/api/tasks/{t}", {"status": "queued"})
            api("POST", f"/api/tasks/{t}/execute", {})
            tasks.append(t)
        api("POST", "/api/tasks/assist", {"title": "way=status", "assignedAgent": runtime})
        api("POST", "/api/tasks/assist", {"title": "way=plain", "assignedAgent": runtime})
        api("POST", "/api/settings/test", {"runtime": runtime})
    api("POST", "/api/settings/test", {"runtime": "openai-codex-app-server"})
    return [s.wait_task(t)["status"] for t in tasks]


def check_processes(check, s, name, api, stored):
    """Titles and environments of all processes of the stack while a run is waiting for its provider."""
    t = api("POST", "/api/tasks", {"title": "hang", "description": "way=hang", "assignedAgent": "anthropic-direct", "agentProfile": "rt"})["id"]
    Echo.hanging.clear()
    api("PATCH", f"/api/tasks/{t}", {"status": "queued"})
    api("POST", f"/api/tasks/{t}/execute", {})
    Echo.hanging.wait(10)
    pids = descendants(os.getpid())
    check(f"{name}: a run is at work", s.pids()["runs"], s.pids())
    check.equal(f"{name}: no key in a title", [title(p) for p in pids if MARKS.search(of_process(p, "cmdline"))], [])
    bad = [title(p) for p in pids for key in stored.values() if key.encode() in of_process(p, "environ")]
    check.equal(f"{name}: no stored key in an environment", bad, [])
    api("POST", f"/api/tasks/{t}/cancel")
    s.wait_task(t)


def control(s, *command):
    """What stagentctl prints, with a `claude` and a `codex` on its PATH that tell what they were given."""
    tell = s.root / "bin"
    tell.mkdir(exist_ok=True)
    for name in ("claude", "codex"):
        (tell / name).write_text(f"#!/bin/sh\nenv >> {s.root}/given\necho 9.9.9\n")
        (tell / name).chmod(0o755)
    env = {**s.environment(), "STAGENT_CLAUDE_BIN": "claude", "STAGENT_CODEX_BIN": "codex", "PATH": f"{tell}:{os.environ['PATH']}"}
    p = subprocess.run([str(s.build / "stagentctl"), *s._options(), *command], env=env, capture_output=True, timeout=60)
    return p.stdout + p.stderr


def play(check, name, keys, environment):
    Echo.keys.clear()
    server = ThreadingHTTPServer(("127.0.0.1", 0), Echo)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    with Stack(env={"ANTHROPIC_BASE_URL": at, "OPENAI_BASE_URL": at + "/v1", "ANTHROPIC_API_KEY": environment["anthropic"],
                    "OPENAI_API_KEY": environment["openai"]}, options={"log.level": "debug", "ollama.url": at}) as s:
        api = Recorder(s)
        profile(s, "rt")
        if keys:
            api("POST", "/api/settings", {"method": "api_key", "apiKey": keys["anthropic"]})
            api("POST", "/api/settings/openai", {"apiKey": keys["openai"]})
        api("POST", "/api/settings/ollama", {"baseUrl": at})
        api("POST", "/api/settings", {"apiKey": "QqZqNoKeyQqZq"})
        api("POST", "/api/settings/openai", {"apiKey": "QqZqNoKeyQqZq"})
        ends = fail_everywhere(s, api, WAYS[:-1])
        check.equal(f"{name}: every run failed", set(ends), {"failed"})
        used = set((keys or environment).values())
        check.equal(f"{name}: the provider was given the keys", Echo.keys, used)
        check_processes(check, s, name, api, keys)
        api.everything()
        check(f"{name}: no key in an answer", not any(MARKS.search(text) for _, text in api.answers),
            next(((what, text) for what, text in api.answers if MARKS.search(text)), ""))
        for command in (["config"], ["status"], ["doctor"], ["jobs", "all"], ["audit"], ["approvals"]):
            text = control(s, *command)
            check(f"{name}: no key from stagentctl {' '.join(command)}", not MARKS.search(text), text)
        given = (s.root / "given").read_bytes()
        check(f"{name}: no key in the environment of what doctor starts", b"PATH=" in given and not MARKS.search(given), given)
        text = control(s, "-o", f"anthropic.key={STORED['anthropic']}", "status")
        check(f"{name}: a key on a command line is refused", b"is a secret" in text and not MARKS.search(text), text)
        check(f"{name}: no key in a file while the stack runs", not s.leaks("QqZq"), s.leaks("QqZq"))
        s.stop()
        check(f"{name}: none afterwards", not s.leaks("QqZq"), s.leaks("QqZq"))
        logs = "".join(f.read_text(errors="replace") for f in s.logs.iterdir())
        check(f"{name}: the logs have the provider's words", "Incorrect API key provided: sk-***" in logs, logs[-2000:])
    server.shutdown()


def search(check):
    """The search that ends every test finds what is there, of a key in any file."""
    with Stack(fake=False) as s:
        check.equal("nothing is found where nothing is", s.leaks(), "")
        for place in (s.data / "stagent.db-extra", s.logs / "any.log"):
            place.write_bytes(b"\xff\x00" + KEY.encode() + b"\x00")
            check(f"a key is found in {place.name}", place.name in s.leaks(), s.leaks())
            place.unlink()


def in_memory(pids, text):
    """How often TEXT stands in the memory that these processes may read."""
    n = 0
    for pid in pids:
        for low, high in re.findall(rb"(?m)^(\w+)-(\w+) r.*$", of_process(pid, "maps")):
            try:
                with open(f"/proc/{pid}/mem", "rb", 0) as f:
                    f.seek(int(low, 16))
                    n += f.read(int(high, 16) - int(low, 16)).count(text)
            except (OSError, OverflowError):
                pass  # the kernel's own pages, or it has ended
    return n


def memory(check):
    """A worker that was given a key does not stay, and so neither does the key, but in the web server's buffers."""
    long = b"QqZqMemoryQqZq" * 200
    with Stack(fake=False, options={"pool.workers": 2}) as s:
        ours = lambda: [p for name, pids in s.pids().items() if name != "web" for p in pids]
        check("the search finds the environment's key", in_memory(s.pids()["workers"], KEY.encode()) > 0)
        for path, key in (("/api/settings", b"sk-ant-" + long), ("/api/settings/openai", b"sk-" + long), ("/api/settings/openai", b"no" + long)):
            status = request(s.port, "POST", path, b'{"apiKey": "%s"}' % key)[0]
            check.equal(f"{path}: {key[:6].decode()}", status, 400 if key[:2] == b"no" else 200)
            left = s.until(lambda: in_memory(ours(), b"QqZqMemory"), lambda n: n == 0, 10)
            check.equal(f"{path}: {key[:6].decode()}: the key is in no memory", left, 0)
        check.equal("both workers are there again", s.until(lambda: len(s.pids()["workers"]), lambda n: n == 2, 10), 2)


def test(check):
    search(check)
    memory(check)
    play(check, "stored", STORED, ENVIRONMENT)
    play(check, "strange", STRANGE, ENVIRONMENT)
    play(check, "environment", {}, ENVIRONMENT)


if __name__ == "__main__":
    main(test)
