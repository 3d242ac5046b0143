"""The stream hub alone, without workers and web server: a Hub starts `stagent-fcgi --hub` on a scratch database, a Stream
is the web server's end of a FastCGI connection whose other end the hub was given, as a worker would.
"""
import array, ctypes, fcntl, json, os, shutil, signal, socket, sqlite3, struct, subprocess, sys, tempfile, time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from stack import Checks, build_dir

PROGRAM = build_dir() / "stagent-fcgi"
LOGS, APPROVALS, JOB = range(3)


def ticket(kind, fcgi_id=1, head=False, one_task=False, task=None, event=None, after=0, since=0, tail=0, job=0,
           timeout_ms=0, text=""):
    """struct hub_ticket of fcgi/hub.h."""
    def t(s):
        return (s or "").encode()
    return struct.pack("=iH4?6x5q256s256s256s", kind, fcgi_id, head, one_task, task is not None, event is not None,
                       after, since, tail, job, timeout_ms, t(task), t(event), t(text))


class Stream:
    def __init__(self, hub, kind=LOGS, small=False, conn=None, **fields):
        self.id = fields.get("fcgi_id", 1)
        self.sock, other = socket.socketpair()
        if small:
            other.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, small)
        (conn or hub.conn()).sendmsg([ticket(kind, **fields)],
                                     [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [other.fileno()]))])
        other.close()
        self.sock.setblocking(False)
        self.raw, self.text, self.end, self.eof, self.broken, self.records = b"", b"", False, False, None, 0

    def read(self, limit=1 << 30):
        """Takes what is there; True where anything came."""
        got = 0
        while not self.eof and got < limit:
            try:
                b = self.sock.recv(min(65536, limit - got))
            except BlockingIOError:
                break
            except ConnectionError:
                b = b""
            self.eof = not b
            got += len(b)
            self.raw += b
        self._parse()
        return got > 0

    def _parse(self):
        at, out = 0, []
        while len(self.raw) - at >= 8:
            version, kind, rid, n, pad, _ = struct.unpack_from(">BBHHBB", self.raw, at)
            if version != 1 or rid != self.id or kind not in (3, 6) or self.end:
                self.broken = f"record {version} {kind} {rid} {n}"
                break
            if len(self.raw) - at < 8 + n + pad:
                break
            if kind == 3:
                self.end = True
            out.append(self.raw[at + 8:at + 8 + n] if kind == 6 else b"")
            self.records += 1
            at += 8 + n + pad
        self.raw = self.raw[at:]
        self.text += b"".join(out)

    def wait(self, good, timeout=5):
        """Reads until good(self) or the time is over; whether it is good."""
        end = time.time() + timeout
        while not good(self):
            if time.time() > end:
                return False
            if not self.read():
                time.sleep(0.005)
        return True

    def head(self):
        return self.text.partition(b"\r\n\r\n")[0].decode()

    def body(self):
        return self.text.partition(b"\r\n\r\n")[2].decode()

    def events(self):
        """[(id or None, data)] of the complete events."""
        out = []
        for block in self.body().split("\n\n")[:-1]:
            lines = dict(x.split(": ", 1) for x in block.split("\n") if not x.startswith(":"))
            if "data" in lines:
                out.append((int(lines["id"]) if "id" in lines else None, json.loads(lines["data"])))
        return out

    def ids(self):
        return [i for i, _ in self.events()]

    def close(self):
        self.sock.close()


class Hub:
    def __init__(self, options=(), log_level="warn"):
        self.root = Path(tempfile.mkdtemp(prefix="hub-"))
        self.data, self.run = self.root / "data", self.root / "run"
        self.args = [f"-o{k}={v}" for k, v in {"data.dir": self.data, "run.dir": self.run, "log.level": log_level,
                                              **dict(options)}.items()]
        subprocess.run([PROGRAM, "--migrate", *self.args], check=True)
        self._conn = None
        self.start()
        self.db = sqlite3.connect(self.data / "stagent.db", isolation_level=None, timeout=10)
        self.db.execute("PRAGMA wal_autocheckpoint=0")
        self.db.execute("PRAGMA synchronous=OFF")
        self.lock = open(self.data / "stagent.db-lock", "r")
        self.bell = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self.n = 0

    def start(self):
        libc = ctypes.CDLL(None)
        place = self.run / "hub.sock"
        before = place.stat().st_ino if place.exists() else 0
        self.proc = subprocess.Popen([PROGRAM, "--hub", *self.args], preexec_fn=lambda: libc.prctl(1, signal.SIGTERM))
        end = time.time() + 20
        while True:
            try:
                if place.stat().st_ino != before:
                    self._connect()
                    return
            except OSError:
                pass
            if time.time() > end or self.proc.poll() is not None:
                raise RuntimeError("no hub")
            time.sleep(0.01)

    def _connect(self):
        if self._conn:
            self._conn.close()
        self._conn = None
        c = socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        c.connect(str(self.run / "hub.sock"))
        self._conn = c

    def conn(self):
        return self._conn

    def stop(self, sig=signal.SIGTERM):
        """(exit status, seconds)."""
        began = time.time()
        self.proc.send_signal(sig)
        return self.proc.wait(20), time.time() - began

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.proc.poll() is None:
            self.stop()
        self.db.close()
        shutil.rmtree(self.root, ignore_errors=True)

    def ring(self):
        try:
            self.bell.sendto(b"!", str(self.run / "hub.bell"))
        except OSError:
            pass

    def tx(self, statements, ring=True):
        fcntl.flock(self.lock, fcntl.LOCK_EX)
        self.db.execute("BEGIN IMMEDIATE")
        for sql, args in statements:
            self.db.execute(sql, args)
        self.db.execute("COMMIT")
        fcntl.flock(self.lock, fcntl.LOCK_UN)
        if ring:
            self.ring()

    def task(self, task, status="running"):
        self.tx([("INSERT INTO tasks (id, title, status, created_at, updated_at) VALUES (?, ?, ?, 1, 1)",
                  (task, task, status))])

    def log(self, task=None, event="e", payload=None, n=1, time_s=1000, ring=True):
        """N log rows in one transaction."""
        rows = []
        for _ in range(n):
            self.n += 1
            rows.append(("INSERT INTO agent_logs (id, task_id, agent_type, event, payload, timestamp) "
                         "VALUES (?, ?, 'general', ?, ?, ?)",
                         (f"log-{self.n}", task, event, payload if payload is not None else f'{{"n":{self.n}}}', time_s)))
        self.tx(rows, ring)

    def rss(self):
        for line in open(f"/proc/{self.proc.pid}/status"):
            if line.startswith("VmRSS:"):
                return int(line.split()[1])

    def cpu(self):
        f = open(f"/proc/{self.proc.pid}/stat").read().rpartition(")")[2].split()
        return (int(f[11]) + int(f[12])) / os.sysconf("SC_CLK_TCK")
