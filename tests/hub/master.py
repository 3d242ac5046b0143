#!/usr/bin/env python3
"""What the master promises: the socket, restarts, reload without losing a request, the end. About 30 s.

	STAGENT_BUILD=build tests/hub/master.py
"""
import ctypes, os, shutil, signal, socket, stat, struct, subprocess, sys, tempfile, threading, time
from pathlib import Path
from fcgihub import PROGRAM, Checks

ok = Checks()
LIBC = ctypes.CDLL(None)


def record(kind, body):
    return struct.pack(">BBHHBB", 1, kind, 1, len(body), 0, 0) + body


def fastcgi(path, method, uri, timeout=10, headers=()):
    """One request as a web server makes it: a connected socket on which it has been sent."""
    def pair(k, v):
        k, v = k.encode(), v.encode()
        return bytes([len(k), len(v)]) + k + v
    params = {"REQUEST_METHOD": method, "REQUEST_URI": uri, "QUERY_STRING": uri.partition("?")[2],
              "HTTP_HOST": "localhost", **dict(headers)}
    s = socket.socket(socket.AF_UNIX)
    s.settimeout(timeout)
    s.connect(str(path))
    s.sendall(record(1, b"\0\1\0\0\0\0\0\0") + record(4, b"".join(pair(*p) for p in params.items())) + record(4, b"") + record(5, b""))
    return s


def answer(s):
    """(status, body) of a complete response; (None, reason) of a broken one."""
    raw, out = b"", b""
    try:
        while b := s.recv(65536):
            raw += b
    except OSError as e:
        return None, str(e)
    finally:
        s.close()
    while raw:
        if len(raw) < 8:
            return None, "cut"
        _, kind, _, n, pad, _ = struct.unpack_from(">BBHHBB", raw)
        if kind == 3:
            head, _, body = out.partition(b"\r\n\r\n")
            return int(head.split()[1]), body
        out += raw[8:8 + n]
        raw = raw[8 + n + pad:]
    return None, "no end"


class Master:
    def __init__(self, **options):
        self.root = Path(tempfile.mkdtemp(prefix="mst-"))
        self.options = {"data.dir": self.root / "data", "run.dir": self.root / "run", "pool.workers": 3, **options}
        self.sock = self.root / "run" / "fcgi.sock"
        self.log = self.root / "log"
        self.conf = self.root / "conf"
        self.configure()
        self.start()

    def configure(self, **more):
        self.options.update(more)
        self.conf.write_text("".join(f"{k} = {v}\n" for k, v in self.options.items()))

    def start(self, **popen):
        with open(self.log, "ab") as log:
            self.proc = subprocess.Popen([PROGRAM, "-c", self.conf], stderr=log, preexec_fn=lambda: LIBC.prctl(1, signal.SIGTERM), **popen)
        if not self.until(lambda: self.said("ready:") and self.get()[0] == 200):
            print(self.log.read_text())
            raise RuntimeError("no master")

    def said(self, text):
        return self.log.read_text().count(text)

    def get(self, uri="/api/projects", method="GET"):
        try:
            return answer(fastcgi(self.sock, method, uri))
        except OSError as e:
            return None, str(e)

    def children(self, what=""):
        out = {}
        for p in os.listdir("/proc"):
            try:
                if p.isdigit() and open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[1] == str(self.proc.pid):
                    title = open(f"/proc/{p}/cmdline", "rb").read().rstrip(b"\0").decode()
                    if title.startswith("stagent-fcgi: " + what):
                        out[int(p)] = title
            except OSError:
                pass
        return out

    @staticmethod
    def until(good, timeout=10):
        end = time.time() + timeout
        while not (got := good()) and time.time() < end:
            time.sleep(0.02)
        return got

    def stop(self, sig=signal.SIGTERM):
        began = time.time()
        self.proc.send_signal(sig)
        return self.proc.wait(20), time.time() - began

    def close(self):
        if self.proc.poll() is None:
            self.stop()
        shutil.rmtree(self.root, ignore_errors=True)


class Load:
    """Requests from THREADS threads until the end of the block; `bad` lists what went wrong."""
    def __init__(self, m, threads=4):
        self.m, self.on, self.n, self.bad = m, True, 0, []
        self.threads = [threading.Thread(target=self._run) for _ in range(threads)]

    def _run(self):
        while self.on:
            got = self.m.get()
            self.n += 1
            if got[0] != 200:
                self.bad.append(got)

    def __enter__(self):
        for t in self.threads:
            t.start()
        return self

    def __exit__(self, *_):
        self.on = False
        for t in self.threads:
            t.join()


def alive(pids):
    def lives(p):
        try:
            return open(f"/proc/{p}/stat").read().rpartition(")")[2].split()[0] not in "ZX"
        except OSError:  # gone, or going while we read
            return False
    return [p for p in pids if lives(p)]


def starting(m):
    st = os.stat(m.sock)
    ok("socket mode 0660", stat.S_ISSOCK(st.st_mode) and st.st_mode & 0o777 == 0o660, oct(st.st_mode))
    ok("hub socket mode 0600", os.stat(m.root / "run" / "hub.sock").st_mode & 0o777 == 0o600)
    ok.equal("titles", sorted(m.children().values()), ["stagent-fcgi: hub"] + [f"stagent-fcgi: worker {i}" for i in (1, 2, 3)])
    names = sorted(open(f"/proc/{p}/comm").read().strip() for p in m.children())
    ok.equal("names", names, ["stagent-hub"] + ["stagent-worker"] * 3)
    for p, title in m.children().items():
        fds = sorted(int(f) for f in os.listdir(f"/proc/{p}/fd"))
        ok(f"{title}: few descriptors", len(fds) < 20, fds)
    again = subprocess.run([PROGRAM, "-c", m.conf], capture_output=True, text=True, timeout=20)
    ok("a second master is refused", again.returncode == 1 and "another stagent-fcgi" in again.stderr, again)
    ok("the first goes on", m.get()[0] == 200)


def restarts(m):
    for sig in (signal.SIGKILL, signal.SIGSEGV):
        before = m.children("worker")
        time.sleep(1.1)
        with Load(m, 2) as load:
            os.kill(min(before), sig)
            m.until(lambda: not alive([min(before)]))  # a sanitizer writes its report first
            began = time.time()
            ok(f"worker killed by {sig.name}: a new one", m.until(lambda: len(m.children("worker")) == 3 and min(before) not in m.children()))
            ok("at once", time.time() - began < 1.5, time.time() - began)
            time.sleep(0.2)
        ok("at most the request it had was lost", len(load.bad) <= 1 and load.n > 10, (load.n, load.bad))
    hub = m.children("hub")
    s = fastcgi(m.sock, "GET", "/api/logs/stream")
    ok("a stream opens", b"event-stream" in s.recv(4096))
    os.kill(min(hub), signal.SIGKILL)
    s.settimeout(2)
    ok("hub killed: its streams end", s.recv(4096) == b"")
    s = fastcgi(m.sock, "GET", "/api/logs/stream")
    ok("a stream asked for in that moment opens", b"event-stream" in s.recv(4096))
    ok("there is a new hub", m.children("hub") and m.children("hub") != hub)
    s.close()
    os.kill(min(m.children("worker")), signal.SIGTERM)
    ok("a worker that ended is replaced", m.until(lambda: len(m.children("worker")) == 3))


def backoff(m):
    """A worker that cannot start is not started in a loop."""
    with Load(m, 2) as load:
        n, began = m.said("was killed by"), time.time()
        while time.time() - began < 3:
            for p in sorted(m.children("worker"))[-1:]:
                try:
                    os.kill(p, signal.SIGKILL)
                except ProcessLookupError:  # still dying from the last time
                    pass
            time.sleep(0.01)
        n = m.said("was killed by") - n
    ok("restarts are held back", n < 40, n)
    ok("others work meanwhile", load.n > 100 and len(load.bad) <= n, (load.n, len(load.bad)))
    ok("in the end all are there", m.until(lambda: len(m.children("worker")) == 3, 6))


def reload(m):
    streams = [fastcgi(m.sock, "GET", "/api/logs/stream") for _ in range(5)]
    for s in streams:
        s.recv(4096)
    with Load(m) as load:
        for i in range(3):
            before = set(m.children())
            done = m.said("reload done")
            m.proc.send_signal(signal.SIGHUP)
            m.until(lambda: m.said("reload done") > done, 20)
            ok(f"reload {i + 1}: all are new", m.until(lambda: not before & set(m.children()) and len(m.children()) == 4), m.children())
    ok(f"no request lost in {load.n}", load.n > 100 and not load.bad, load.bad[:5])
    for s in streams:
        s.settimeout(3)
        got = b""
        while b := s.recv(4096):
            got += b
        ok("a stream was told to come back", b"retry: 500\n\n" in got, got)
        s.close()
    ok("streams open as before", b"event-stream" in fastcgi(m.sock, "GET", "/api/logs/stream").recv(4096))
    m.configure(**{"pool.workers": 5})
    m.proc.send_signal(signal.SIGHUP)
    ok("more workers", m.until(lambda: len(m.children("worker")) == 5))
    m.until(lambda: m.said("reload done") == 4)
    m.configure(**{"pool.workers": 2})
    m.proc.send_signal(signal.SIGHUP)
    ok("fewer workers", m.until(lambda: len(m.children("worker")) == 2 and m.said("reload done") == 5))
    ok("what was replaced has left", m.until(lambda: len(m.children()) == 3))
    before = set(m.children())
    m.configure(**{"pool.workers": "many"})
    m.proc.send_signal(signal.SIGHUP)
    ok("a wrong configuration is refused", m.until(lambda: m.said("reload refused")))
    m.configure(**{"pool.workers": 3})
    ok("nothing was replaced", before == set(m.children()) and m.get()[0] == 200)
    m.proc.send_signal(signal.SIGHUP)
    m.proc.send_signal(signal.SIGHUP)
    m.proc.send_signal(signal.SIGHUP)
    ok("three at once", m.until(lambda: len(m.children("worker")) == 3 and m.said("reload done") >= 6) and m.get()[0] == 200)


def the_end(m):
    pids = list(m.children())
    streams = [fastcgi(m.sock, "GET", "/api/logs/stream") for _ in range(5)]
    for s in streams:
        s.recv(4096)
    status, took = m.stop()
    ok("SIGTERM: status 0, soon", status == 0 and took < 4, (status, took))
    ok("no child is left", not alive(pids), alive(pids))
    ok("the socket is gone", not m.sock.exists())
    ok("streams got the hint", all(b"retry: 500" in s.recv(4096) for s in streams))
    m.start()
    os.kill(min(m.children("hub")), signal.SIGSTOP)
    pids = list(m.children())
    status, took = m.stop(signal.SIGINT)
    ok("SIGINT with a child that hangs: killed after 5 s", status == 0 and 4.9 < took < 9 and not alive(pids), (status, took))
    m.start()
    pids = list(m.children())
    m.stop(signal.SIGKILL)
    ok("master killed: the children go", m.until(lambda: not alive(pids), 4), alive(pids))
    ok("its socket is left over", m.sock.exists())
    m.start()
    ok("which the next one replaces", m.get()[0] == 200)
    m.stop()


def systemd(m):
    """Socket activation and readiness, by hand."""
    path, told = m.root / "systemd.sock", m.root / "notify"
    listener, n = socket.socket(socket.AF_UNIX), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    listener.bind(str(path))
    listener.listen(64)
    n.bind(str(told))
    n.settimeout(10)

    def child():
        LIBC.prctl(1, signal.SIGTERM)
        os.dup2(os.dup2(listener.fileno(), 40), 3)
        os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1", NOTIFY_SOCKET=str(told))
        os.execve(PROGRAM, [str(PROGRAM), "-c", str(m.conf)], os.environ)
    pid = os.fork()
    if not pid:
        os.dup2(os.open(m.log, os.O_WRONLY | os.O_APPEND), 2)
        child()
    ok.equal("READY=1", n.recv(100), b"READY=1")
    got = answer(fastcgi(path, "GET", "/api/projects"))
    ok("the socket that was passed is used", got[0] == 200 and not m.sock.exists(), got)
    os.kill(pid, signal.SIGTERM)
    ok.equal("STOPPING=1", n.recv(100), b"STOPPING=1")
    ok("and stays", os.waitpid(pid, 0)[1] == 0 and path.exists())


def main():
    m = Master()
    try:
        for part in (starting, restarts, backoff, reload, the_end, systemd):
            print(f"--- {part.__name__}")
            part(m)
    finally:
        m.close()
    short = Master(**{"pool.requests": 5})
    with Load(short) as load:
        time.sleep(2)
    ok(f"workers replaced after 5 requests each: none lost in {load.n}", load.n > 100 and not load.bad, load.bad[:3])
    short.close()
    ok.done()


main()
