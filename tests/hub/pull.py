"""Fetching an Ollama model: pull.py [nginx|lighttpd]. lighttpd does not notice that a client has left, so only the first part is for it.

The answer comes when the server has the model, however long that takes (nginx and lighttpd wait longer than for anything else).
A client that leaves takes the download with it: a few seconds later the Ollama server's connection is closed, the job has ended and
its process is gone, also where the hub was replaced in the meantime or the job had not begun. Others that wait are not disturbed.
"""
import json, os, re, select, socket, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, TOP, main

SOON = 8


class Ollama(threading.Thread):
    """A server that answers a pull when it is told to, and knows which of its clients are still there."""

    def __init__(self):
        super().__init__(daemon=True)
        self.sock = socket.create_server(("127.0.0.1", 0))
        self.url = f"http://127.0.0.1:{self.sock.getsockname()[1]}"
        self.pulls, self.closed = {}, set()

    def run(self):
        while True:
            c, _ = self.sock.accept()
            threading.Thread(target=self.serve, args=(c,), daemon=True).start()

    def serve(self, c):
        text = b""
        while b"\r\n\r\n" not in text or b'"stream"' not in text:
            part = c.recv(65536)
            if not part:
                return
            text += part
        name = json.loads(text.split(b"\r\n\r\n", 1)[1])["name"]
        self.pulls[name] = c
        select.select([c], [], [])
        self.closed.add(name)

    def answer(self, name):
        body = b'{"status":"success"}'
        self.pulls[name].sendall(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))


def ask(s, name):
    """A client that waits for a pull; its socket."""
    c = socket.create_connection(("127.0.0.1", s.port), timeout=20)
    body = json.dumps({"action": "pull", "model": name}).encode()
    c.sendall(b"POST /api/runtimes/ollama HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s" % (len(body), body))
    return c


def job(s, name):
    return s.rows("SELECT state, error FROM jobs WHERE kind = 'ollama_pull' AND payload LIKE ?", f'%"{name}"%')


def check_gone(check, s, server, name):
    check(f"{name}: the Ollama server's connection is closed", s.until(lambda: name in server.closed, bool, SOON), server.closed)
    check.equal(f"{name}: the job has ended", job(s, name), [{"state": "failed", "error": "its client has left"}])


def test(check):
    server = Ollama()
    server.start()
    web = sys.argv[1] if len(sys.argv) > 1 else "nginx"
    for name in (f"{web}.conf.in", f"{web}-snippet.conf.in"):
        times = [int(t) for t in re.findall(r'read.timeout"?(?: =>)? (\d+)', (TOP / "conf" / name).read_text())]
        check(f"{name} waits as long as a pull may take", max(times) >= 6 * 3600 + 30, times)
    with Stack(server=web) as s:
        s.ok("POST", "/api/settings/ollama", {"baseUrl": server.url})
        c = ask(s, "slow")
        check("a pull is under way", s.until(lambda: "slow" in server.pulls, bool, 10))
        server.answer("slow")
        check("and is answered when it is there", b'{"status":"success","model":"slow"}' in c.recv(65536))
        if web == "lighttpd":
            return
        stays, leaves = ask(s, "stays"), ask(s, "leaves")
        check("both are being fetched", s.until(lambda: len(server.pulls), lambda n: n == 3, 10), server.pulls)
        leaves.close()
        check_gone(check, s, server, "leaves")
        check("its process is gone", s.until(lambda: len(s.pids()["runs"]), lambda n: n == 1, SOON) == 1, s.pids())
        check("the other one goes on", "stays" not in server.closed and job(s, "stays")[0]["state"] == "leased", job(s, "stays"))
        server.answer("stays")
        check("and gets its answer", b'{"status":"success","model":"stays"}' in stays.recv(65536))

        c = ask(s, "moved")
        s.until(lambda: "moved" in server.pulls, bool, 10)
        old = s.pids()["hub"]
        s.proc["master"].send_signal(1)  # HUP: workers and hub are replaced
        s.until(lambda: s.pids()["hub"], lambda now: now and not set(now) & set(old), 10)
        check("the hub was replaced, the client still waits", "moved" not in server.closed and job(s, "moved")[0]["state"] == "leased", job(s, "moved"))
        c.close()
        check_gone(check, s, server, "moved")

        s.stop(only=("supervisor",))
        c = ask(s, "early")
        s.until(lambda: job(s, "early"), bool, 10)
        time.sleep(0.3)
        c.close()
        s.until(lambda: job(s, "early")[0]["state"], lambda x: x == "failed", SOON)
        s.start_runner()
        time.sleep(1.5)
        check("a job whose client left before it began is not begun", job(s, "early")[0]["state"] == "failed" and "early" not in server.pulls, job(s, "early"))


if __name__ == "__main__":
    main(test)
