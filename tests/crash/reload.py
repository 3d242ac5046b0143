"""SIGHUP to the pool and a reload of the web server under load: not one request fails. reload.py [nginx|lighttpd] [seconds]

Four clients read and write over connections of their own. The pool gets SIGHUP every second; nginx is reloaded (SIGHUP) and
lighttpd restarted gracefully (SIGUSR1) in between. Afterwards the workers are new processes and every write is there.
"""
import os, signal, sys, threading, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main


def load(s, stop, done, failed, who):
    n = 0
    while not stop.is_set():
        n += 1
        title = f"r{who}.{n}"
        try:
            status, got = s.api("POST", "/api/tasks", {"title": title}) if n % 2 else s.api("GET", "/api/tasks?status=running")
        except Exception as e:
            failed.append((title, f"{type(e).__name__}: {e}"))
            continue
        if status not in (200, 201):
            failed.append((title, status, got))
        else:
            done.append(title if status == 201 else "")


def test(check):
    server = "lighttpd" if "lighttpd" in sys.argv else "nginx"
    seconds = next((int(a) for a in sys.argv[1:] if a.isdigit()), 15)
    with Stack(server=server) as s:
        before = set(s.pids()["workers"])
        stop, done, failed = threading.Event(), [], []
        threads = [threading.Thread(target=load, args=(s, stop, done, failed, i), daemon=True) for i in range(4)]
        for t in threads:
            t.start()
        sse = s.start_task("during", "[[drip 100]] [[words 60]]")
        end, turn = time.time() + seconds, 0
        while time.time() < end:
            time.sleep(1)
            turn += 1
            s.kill(s.proc["master"].pid, signal.SIGHUP)
            if turn % 2 == 0 and server == "nginx":
                s.kill(s.proc["web"].pid, signal.SIGHUP)
        time.sleep(1)
        stop.set()
        for t in threads:
            t.join(10)
        print(f"     {len(done)} requests")
        check("a load worth the name", len(done) > 200, len(done))
        check("0 failed requests", not failed, (len(failed), failed[:3]))
        titles = {r["title"] for r in s.rows("SELECT title FROM tasks")}
        check("every acknowledged write is there", not [d for d in done if d and d not in titles])
        check("the master is the same", s.proc["master"].poll() is None)
        s.until(lambda: before & set(s.pids()["workers"]), lambda left: not left, 10)
        check("all workers are new", not before & set(s.pids()["workers"]), (before, s.pids()["workers"]))
        check.equal("a run is not disturbed", s.wait_task(sse)["status"], "completed")
        s.failed = check.failed > 0


main(test)
