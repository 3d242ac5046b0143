"""A whole Stagent in a scratch folder, for tests: fake provider, pool, job runner and web server on free ports.

	with Stack(server="nginx") as s:
	    status, task = s.api("POST", "/api/tasks", {"title": "x"})

Everything it starts is stopped by process id, and ends by itself when the test dies (PR_SET_PDEATHSIG); what loses its
parent is inherited (PR_SET_CHILD_SUBREAPER) and stopped too. Start a Stack in the main thread: the kernel ends children
with the *thread* that made them. The folder is removed, or kept and named when the test fails or STAGENT_TEST_KEEP is set.
"""
import ctypes, fcntl, http.client, json, os, random, re, resource, shutil, signal, socket, sqlite3, subprocess, sys
import tempfile, time, traceback
from pathlib import Path

TESTS = Path(__file__).resolve().parent
TOP = TESTS.parent
LIBC = ctypes.CDLL(None)
REPORT = re.compile(rb"ERROR: \w+Sanitizer|runtime error:|SUMMARY: \w+Sanitizer")
KEY = "sk-ant-fake-0123456789"


def build_dir():
    return Path(os.environ.get("STAGENT_BUILD", TOP / "build")).resolve()


def take_port():
    """A port that nothing listens on and no other test takes: (port, what holds it until it is closed). It lies below those
    that outgoing connections get, which could otherwise stand in a server's way for a minute after their end."""
    while True:
        port = random.randrange(10000, 32768)
        held = socket.socket(socket.AF_UNIX)
        try:
            held.bind(f"\0stagent-test-port-{port}")
            with socket.socket() as s:
                s.bind(("127.0.0.1", port))
            return port, held
        except OSError:
            held.close()


def die_with_parent():
    LIBC.prctl(1, signal.SIGTERM)


def more_files():
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def parents():
    """{pid: parent} of all processes that are not zombies."""
    out = {}
    for p in os.listdir("/proc"):
        if p.isdigit():
            try:
                state, parent = open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[:2]
            except OSError:
                continue
            if state not in "ZX":
                out[int(p)] = int(parent)
    return out


def descendants(root):
    tree, found, todo = parents(), [], [root]
    while todo:
        at = todo.pop()
        new = [p for p, q in tree.items() if q == at]
        found += new
        todo += new
    return found


def title(pid):
    """What ps shows for PID, '' if it is gone."""
    try:
        return open(f"/proc/{pid}/cmdline", "rb").read().replace(b"\0", b" ").decode("utf-8", "replace").strip()
    except OSError:
        return ""


def program(pid):
    try:
        return os.path.basename(os.readlink(f"/proc/{pid}/exe").replace(" (deleted)", ""))
    except OSError:
        return ""


def alive(pid):
    return pid in parents()


def memory(pid, key):
    """KEY (Pss, Rss) of PID in KiB, from smaps_rollup; 0 if it is gone."""
    try:
        for line in open(f"/proc/{pid}/smaps_rollup"):
            if line.startswith(key + ":"):
                return int(line.split()[1])
    except OSError:
        pass
    return 0


def request(port, method, path, body=None, headers=(), timeout=30, host="127.0.0.1"):
    """One request on a connection of its own: (status, headers in lower case, body as bytes)."""
    c = http.client.HTTPConnection(host, port, timeout=timeout)
    try:
        c.request(method, path, body, dict(headers))
        r = c.getresponse()
        return r.status, {k.lower(): v for k, v in r.getheaders()}, r.read()
    finally:
        c.close()


class Stack:
    def __init__(self, server="nginx", build=None, data=None, options=None, env=None, fake=True, connections=None,
                 programs=None):
        """DATA: a data folder that exists already (it is used, not copied). OPTIONS: {"pool.workers": 4, ...}.
        CONNECTIONS: worker_connections of the web server, where a test needs more than the template has. PROGRAMS: the
        command-line agents, {"claude": path, "codex": path}; those that are not named are not found."""
        self.server, self.build = server, Path(build or build_dir())
        self.options, self.connections, self.use_fake = dict(options or {}), connections, fake
        self.answers = None  # a file that gets a line for every answer, as with replay --answers
        self.root = Path(tempfile.mkdtemp(prefix="stg-"))
        self.root.chmod(0o711)
        self.data = Path(data) if data else self.root / "data"
        self.run, self.logs = self.root / "run", self.root / "logs"
        for d in ("home", "cwd", "logs", "www"):
            (self.root / d).mkdir()
        (self.root / "www").chmod(0o755)
        (self.root / "www" / "client_body").mkdir()
        self.run.mkdir(mode=0o711)
        (self.port, held), (self.fake_port, held_too) = take_port(), take_port()
        self.held = (held, held_too)
        self.url, self.fake = f"http://127.0.0.1:{self.port}", f"http://127.0.0.1:{self.fake_port}"
        self.db_path = self.data / "stagent.db"
        self.programs = {n: (programs or {}).get(n, self.root / "none" / n) for n in ("claude", "codex")}
        self.proc, self.extra_env, self.failed = {}, dict(env or {}), False
        self.sanitized = "define SANITIZED 1" in self._config_h()
        more_files()
        LIBC.prctl(36, 1)

    def _config_h(self):
        f = self.build / "config.h"
        return f.read_text() if f.exists() else ""

    # Life

    def __enter__(self):
        try:
            self.start()
        except BaseException:
            self.failed = True
            self.close()
            raise
        return self

    def __exit__(self, kind, *rest):
        self.failed = self.failed or kind is not None
        self.close()
        if kind is None and self.found:
            raise AssertionError(self.found)

    def start(self):
        if self.use_fake:
            self._launch("fake", [sys.executable, str(TESTS / "fakeprovider"), str(self.fake_port), "--strict"])
            self._wait("fake provider", lambda: request(self.fake_port, "GET", "/_health")[0] == 200, "fake")
        self.start_pool()
        self.start_runner()
        self.start_web()
        self.wait_ready()

    def start_pool(self):
        self._launch("master", [str(self.build / "stagent-fcgi"), *self._options()])
        self._wait("FastCGI socket", lambda: self._connects(), "master")

    def start_runner(self):
        self._launch("supervisor", [str(self.build / "stagent-jobrunner"), *self._options()])

    def start_web(self):
        conf = self._web_config()
        self._launch("web", ["nginx", "-e", "stderr", "-p", str(self.root / "www"), "-c", conf] if self.server == "nginx"
                     else ["lighttpd", "-D", "-f", conf])

    def wait_ready(self, timeout=20):
        def answer():
            status, _, body = request(self.port, "GET", "/api/projects", timeout=5)
            return status == 200 or (status, body[:300])
        self._wait("GET /api/projects", answer, "master", "web", timeout=timeout)

    def stop(self, only=None, sig=signal.SIGTERM):
        """Stops ONLY these parts (default: all), the web server first; returns how long it took. What is left after 6 s
        is killed and noted in `killed`."""
        order = ("web", "supervisor", "master", *(n for n in self.proc if n not in ("web", "supervisor", "master", "fake")),
            "fake")
        names = [n for n in order if n in self.proc and (only is None or n in only)]
        began, self.killed = time.time(), []
        for n in names:
            self._signal(self.proc[n].pid, sig)
        end = began + 6
        for n in names:
            try:
                self.proc[n].wait(max(0.05, end - time.time()))
            except subprocess.TimeoutExpired:
                self.killed.append(n)
                for p in [*descendants(self.proc[n].pid), self.proc[n].pid]:
                    self._signal(p, signal.SIGKILL)
                self.proc[n].wait()
            del self.proc[n]
        return time.time() - began

    def close(self):
        self.stop()
        for p in self.mine():
            self._signal(p, signal.SIGKILL)
        self.reap()
        for held in self.held:
            held.close()
        self.found = "".join(f"{what}:\n{text}\n" for what, text in (("sanitizer report", self.reports()),
                ("provider key in clear", self.leaks())) if text)
        if self.failed or self.found or os.environ.get("STAGENT_TEST_KEEP"):
            print(f"logs kept in {self.logs}", file=sys.stderr)
        else:
            shutil.rmtree(self.root, ignore_errors=True)

    def tend(self):
        """Starts again what has died, as ./quickstart does; returns the names."""
        dead = [n for n, p in self.proc.items() if p.poll() is not None]
        for n in dead:
            try:
                os.killpg(self.proc[n].pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            {"master": self.start_pool, "supervisor": self.start_runner, "web": self.start_web}[n]()
        self.reap()
        return dead

    # Processes

    def mine(self):
        """Every Stagent process below this test, orphans included."""
        return [p for p in descendants(os.getpid()) if program(p) in ("stagent-fcgi", "stagent-jobrunner")]

    def pids(self):
        """{"master", "workers", "hub", "supervisor", "runs", "web"}: lists of process ids."""
        out = {k: [] for k in ("master", "workers", "hub", "supervisor", "runs", "web")}
        tops = {n: p.pid for n, p in self.proc.items()}
        for p in self.mine():
            if p == tops.get("master"):
                out["master"].append(p)
            elif p == tops.get("supervisor"):
                out["supervisor"].append(p)
            elif program(p) in ("stagent-jobrunner", "stagent-extract"):
                out["runs"].append(p)
            else:
                out["hub" if "hub" in title(p) else "workers"].append(p)
        if "web" in tops:
            out["web"] = [tops["web"], *descendants(tops["web"])]
        return out

    def kill(self, pid, sig=signal.SIGKILL):
        self._signal(pid, sig)

    @staticmethod
    def _signal(pid, sig):
        try:
            os.kill(pid, sig)
        except ProcessLookupError:
            pass

    def reap(self):
        """Collects inherited processes that have ended."""
        known = {p.pid for p in self.proc.values()}
        for p in os.listdir("/proc"):
            if not p.isdigit() or int(p) in known:
                continue
            try:
                stat = open(f"/proc/{p}/stat").read()
                name, (state, parent) = stat[stat.find("(") + 1:stat.rfind(")")], stat.rpartition(")")[2].split()[:2]
                if state == "Z" and int(parent) == os.getpid() and name.startswith("stagent"):
                    os.waitpid(int(p), os.WNOHANG)
            except (OSError, ChildProcessError):
                pass

    def _options(self):
        own = {"data.dir": self.data, "run.dir": self.run, "share.dir": TOP / "share",
               "anthropic.prices": self.fake + "/hook/prices", "openai.prices": self.fake + "/hook/prices"}
        if os.geteuid() == 0:
            own["http.socket_group"] = "www-data"
        own.update(self.options)
        return [x for k, v in own.items() for x in ("-o", f"{k}={v}")]

    def environment(self):
        env = {"PATH": os.environ["PATH"], "HOME": str(self.root / "home"), "LANG": "C.UTF-8", "TMPDIR": str(self.root),
               "ANTHROPIC_API_KEY": KEY, "OPENAI_API_KEY": "sk-fake-0123456789",
               "ANTHROPIC_BASE_URL": self.fake, "OPENAI_BASE_URL": self.fake + "/v1",
               "STAGENT_GITHUB_API_URL": "http://127.0.0.1:1", "STAGENT_GITHUB_RAW_URL": "http://127.0.0.1:1",
               "SLACK_API_BASE_URL": self.fake + "/slack/api", "TELEGRAM_API_BASE_URL": self.fake,
               **{f"STAGENT_{n.upper()}_BIN": str(path) for n, path in self.programs.items()}}
        if self.sanitized:
            log = self.logs / "sanitizer"
            supp = TESTS / "lsan.supp"
            env["ASAN_OPTIONS"] = f"log_path={log}:detect_leaks=1:exitcode=99:abort_on_error=0:detect_stack_use_after_return=1"
            env["UBSAN_OPTIONS"] = f"log_path={log}:print_stacktrace=1:halt_on_error=1"
            env["LSAN_OPTIONS"] = f"print_suppressions=0{':suppressions=' + str(supp) if supp.exists() else ''}"
        env.update(self.extra_env)
        return env

    def _launch(self, name, argv):
        log = open(self.logs / f"{name}.log", "ab")
        self.proc[name] = subprocess.Popen(argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd=self.root / "cwd",
                                           env=self.environment(), preexec_fn=die_with_parent, start_new_session=True)
        log.close()

    def _wait(self, what, ready, *parts, timeout=20):
        """Until READY() says True; what else it says, or why it fails, is told when the time is over or one of PARTS ends."""
        end = time.time() + timeout
        while True:
            try:
                seen = ready()
                if seen is True:
                    return
            except (OSError, http.client.HTTPException) as e:
                seen = repr(e)
            for n in parts:
                p = self.proc.get(n)
                if p is not None and p.poll() is not None:
                    raise RuntimeError(f"{n} ended with {p.returncode} before {what} was there\n{self.tail(n)}")
            if time.time() > end:
                raise RuntimeError(f"no {what} after {timeout} s ({seen})\n" + "\n".join(self.tail(n) for n in self.proc))
            time.sleep(0.02)

    def _connects(self):
        with socket.socket(socket.AF_UNIX) as s:
            s.connect(str(self.socket_path()))
        return True

    def socket_path(self):
        return self.options.get("http.socket", self.run / "fcgi.sock")

    def _web_config(self):
        template = TOP / "conf" / f"{self.server}.conf.in"
        text = template.read_text() if template.exists() else BARE[self.server]
        www = self.root / "www"
        names = {"PORT": self.port, "RUN": www, "SOCKET": self.socket_path(), "CONF": www}
        text = re.sub(r"@([A-Z_]+)@", lambda m: str(names[m.group(1)]), text)
        if os.geteuid() != 0:
            text = re.sub(r"(?m)^\s*(user .*;|server\.(username|groupname).*)$", "", text)
        else:
            for d in (www, www / "client_body"):
                shutil.chown(d, "www-data", "www-data")
        if (TOP / "conf" / "errors").exists():
            shutil.copytree(TOP / "conf" / "errors", www / "errors", dirs_exist_ok=True)
        files = min(24576, resource.getrlimit(resource.RLIMIT_NOFILE)[1])
        text = re.sub(r"(?m)^(server\.max-fds\s*=\s*)\d+", rf"\g<1>{files}", text)
        text = re.sub(r"(?m)^(server\.max-connections\s*=\s*)\d+", rf"\g<1>{files // 2 - 288}", text)
        if self.connections:
            workers = -(-self.connections // (files // 2)) if self.connections > files else 1
            text = re.sub(r"worker_connections \d+;", f"worker_connections {min(self.connections, files)};", text)
            text = re.sub(r"worker_processes \d+;", f"worker_processes {workers};", text)
        out = self.root / "web.conf"
        out.write_text(text)
        return str(out)

    # What it says

    def log(self, name):
        f = self.logs / f"{name}.log"
        return f.read_text(errors="replace") if f.exists() else ""

    def tail(self, name, lines=15):
        return f"--- {name}.log\n" + "\n".join(self.log(name).splitlines()[-lines:])

    def reports(self):
        """Sanitizer reports of any process, '' where there are none."""
        out = []
        for f in sorted(self.logs.iterdir()) if self.logs.exists() else ():
            text = f.read_bytes()
            m = REPORT.search(text)
            if m or f.name.startswith("sanitizer") and text.strip():
                out.append(f"{f.name}: " + text[(m.start() if m else 0):][:3000].decode("utf-8", "replace"))
        return "\n".join(out)

    def leaks(self, *secrets):
        """Where a provider key stands in clear, in the data folder or in what the processes wrote; '' where nowhere. SECRETS:
        those of the test, besides all that look like the ones of the tests."""
        pattern = re.compile(b"|".join([rb"(?<![A-Za-z0-9])sk-(?:ant-)?fake-[A-Za-z0-9_-]{8,}", *(re.escape(s.encode()) for s in secrets)]))
        out = []
        for top in (self.data, self.logs):
            for f in sorted(p for p in top.rglob("*") if p.is_file()) if top.exists() else ():
                text = f.read_bytes()
                m = pattern.search(text)
                if m:
                    out.append(f"{f.relative_to(top.parent)}: …{text[max(0, m.start() - 60):m.end() + 20]!r}")
        return "\n".join(out)

    def db(self):
        """A read-only connection, to look at rows."""
        c = sqlite3.connect(f"file:{self.db_path}?mode=ro", uri=True, timeout=10)
        c.row_factory = sqlite3.Row
        return c

    def rows(self, sql, *args):
        c = self.db()
        try:
            return [dict(r) for r in c.execute(sql, args)]
        finally:
            c.close()

    def one(self, sql, *args):
        got = self.rows(sql, *args)
        return next(iter(got[0].values())) if got else None

    def write(self, statements):
        """Runs [(sql, args)...] in one transaction, under the programs' write lock, as another client of the file."""
        with open(f"{self.db_path}-lock", "a") as held:
            fcntl.flock(held, fcntl.LOCK_EX)
            c = sqlite3.connect(self.db_path, timeout=10, isolation_level=None)
            c.execute("PRAGMA wal_autocheckpoint=0")
            c.execute("PRAGMA foreign_keys=ON")
            c.execute("BEGIN IMMEDIATE")
            for sql, args in statements:
                c.execute(sql, args)
            c.execute("COMMIT")
            c.close()

    # A client

    def api(self, method, path, body=None, headers=(), timeout=30):
        """(status, parsed answer or None)."""
        raw = None if body is None else json.dumps(body).encode()
        status, head, text = request(self.port, method, path, raw, headers, timeout)
        kind = head.get("content-type", "")
        got = json.loads(text) if text and kind.startswith("application/json") else None
        if self.answers:
            with open(self.answers, "a", encoding="utf-8") as f:
                f.write(json.dumps({"method": method, "path": path.partition("?")[0], "step": sys.argv[0], "status": status, "type": kind, "json": got}) + "\n")
        return status, got

    def ok(self, method, path, body=None, want=(200, 201, 202)):
        status, got = self.api(method, path, body)
        assert status in want, f"{method} {path}: {status} {got}"
        return got

    def start_task(self, title, description, **fields):
        """A task that is being executed; its id."""
        t = self.ok("POST", "/api/tasks", {"title": title, "description": description, "assignedAgent": "anthropic-direct",
                **fields})["id"]
        self.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
        self.ok("POST", f"/api/tasks/{t}/execute")
        return t

    def wait_task(self, task, states=("completed", "failed", "cancelled"), timeout=30):
        """The task once it is in one of STATES, or as it is when the time is over."""
        return self.until(lambda: self.api("GET", f"/api/tasks/{task}")[1], lambda t: t and t.get("status") in states, timeout)

    def wait_request(self, task, timeout=20):
        """The open permission request of TASK."""
        def look():
            return [n for n in self.api("GET", "/api/notifications/pending-approvals")[1] or () if n["taskId"] == task]
        got = self.until(look, bool, timeout)
        return got[0] if got else None

    @staticmethod
    def until(look, good, timeout=20, every=0.05):
        end = time.time() + timeout
        while True:
            try:
                got = look()
            except (OSError, http.client.HTTPException):
                got = None
            if good(got) or time.time() > end:
                return got
            time.sleep(every)

    def provider_log(self):
        return json.loads(request(self.fake_port, "GET", "/_log")[2])


# Used as long as conf/ has no template.
BARE = {
    "nginx": """
daemon off; pid @RUN@/nginx.pid; error_log stderr error; user www-data;
worker_processes 1; worker_rlimit_nofile 32768; events { worker_connections 8192; }
http { access_log off; client_max_body_size 60m;
client_body_temp_path @RUN@/b; fastcgi_temp_path @RUN@/f; proxy_temp_path @RUN@/p; scgi_temp_path @RUN@/s; uwsgi_temp_path @RUN@/u;
server { listen 127.0.0.1:@PORT@ backlog=4096; location / {
 fastcgi_pass unix:@SOCKET@; fastcgi_read_timeout 330s; fastcgi_param REQUEST_METHOD $request_method; fastcgi_param REQUEST_URI $request_uri;
 fastcgi_param QUERY_STRING $query_string; fastcgi_param CONTENT_TYPE $content_type; fastcgi_param CONTENT_LENGTH $content_length;
 fastcgi_param SERVER_PROTOCOL $server_protocol; } } }
""",
    "lighttpd": """
server.document-root = "@RUN@"
server.bind = "127.0.0.1"
server.port = @PORT@
server.modules = ( "mod_fastcgi" )
server.stream-response-body = 1
server.max-fds = 8192
server.max-connections = 4096
fastcgi.server = ( "/" => (( "socket" => "@SOCKET@", "check-local" => "disable", "max-procs" => 1 )) )
""",
}


class Checks:
    """Counts what a test shows; the last line it prints is `N passed, N failed`."""

    def __init__(self):
        self.passed = self.failed = 0

    def __call__(self, name, good, why=""):
        if good:
            self.passed += 1
            print(f"ok   {name}", flush=True)
        else:
            self.failed += 1
            print(f"FAIL {name}{': ' + str(why) if why != '' else ''}", flush=True)
        return good

    def equal(self, name, got, want):
        return self(name, got == want, f"wanted {want!r}, got {got!r}")

    def done(self):
        print(f"{self.passed} passed, {self.failed} failed")
        sys.exit(1 if self.failed else 0)


def main(test):
    """Runs TEST(checks); an exception is one more failure, with its text."""
    c = Checks()
    try:
        test(c)
    except Exception as e:
        traceback.print_exc()
        c("no exception", False, f"{type(e).__name__}: {e}")
    c.done()
