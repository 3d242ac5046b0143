"""A full disk: writes are answered 507, reads go on, and all recovers by itself when there is space again.

The data folder lies on a tmpfs of 24 MiB (as root), which a file fills up; without the right to mount the test says so and is waiting, not passed.
"""
import os, subprocess, sys, tempfile, time

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main, request


def fill(path):
    """Writes until no byte fits any more."""
    with open(path, "ab") as f:
        for size in (1 << 20, 4096, 1):
            try:
                while True:
                    os.write(f.fileno(), b"x" * size)
            except OSError:
                pass


def writes_until_full(s, check):
    """Tasks are created until one is refused; returns the titles that were acknowledged."""
    kept = []
    for i in range(3000):
        status, got = s.api("POST", "/api/tasks", {"title": f"full {i}", "description": "d" * 2000})
        if status == 201:
            kept.append(f"full {i}")
            continue
        check("a refused write says so: 507", status == 507 and isinstance((got or {}).get("error"), str), (status, got))
        return kept
    check("a write is refused at last", False, "3000 writes went through")
    return kept


def upload(s, size):
    """(status, names of the upload folder) after an upload of so many bytes."""
    form = b'--b\r\nContent-Disposition: form-data; name="file"; filename="x"\r\n\r\n' + b"x" * size + b"\r\n--b--"
    status, _, _ = request(s.port, "POST", "/api/uploads", form, {"Content-Type": "multipart/form-data; boundary=b"})
    return status, sorted(os.listdir(s.data / "uploads"))


def disk(check, mount):
    with Stack(data=mount + "/data") as s:
        p = s.ok("POST", "/api/projects", {"name": "before"})["id"]
        t = s.start_task("waits", '[[tool create_task {"title": "made on a full disk"}]] [[say survived]]')
        n = s.wait_request(t)
        status, before = upload(s, 1000)
        check.equal("an upload", (status, len(before)), (201, 1))
        check.equal("one that is larger than the disk is refused and leaves nothing", upload(s, 30 << 20), (507, before))
        fill(mount + "/ballast")
        kept = writes_until_full(s, check)
        for method, path, body in (("POST", "/api/projects", {"name": "x"}), ("PATCH", f"/api/projects/{p}", {"name": "y"}),
            ("POST", "/api/permissions", {"pattern": "x"}), ("DELETE", f"/api/projects/{p}", None),
            ("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})):
            status, got = s.api(method, path, body)
            check(f"{method} {path.split('/')[2]}: 507, or it found room", status in (507, 200, 201), (status, got))
            if status != 507 and path.endswith("respond"):
                n = None
            if status != 507 and method == "DELETE":
                p = None
        for path in ("/api/projects", "/api/tasks", f"/api/tasks/{t}", "/api/notifications", "/api/permissions",
            "/api/notifications/pending-approvals"):
            check.equal(f"reads go on: GET {path[:30]}", s.api("GET", path)[0], 200)
        check.equal("all processes live", [x.poll() for x in s.proc.values()], [None] * len(s.proc))
        time.sleep(3)
        check.equal("and go on living", [x.poll() for x in s.proc.values()], [None] * len(s.proc))
        os.unlink(mount + "/ballast")
        got = s.until(lambda: s.api("POST", "/api/projects", {"name": "after"})[0], lambda x: x == 201, 10, 0.2)
        check.equal("recovers by itself", got, 201)
        titles = {r["title"] for r in s.rows("SELECT title FROM tasks")}
        check("every acknowledged write is there", not [k for k in kept if k not in titles], len(kept))
        if n:
            status, got = s.api("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
            check("the answer can be given now", status in (200, 409), (status, got))
        row = s.wait_task(t, timeout=75)
        check.equal("the run that waited completes", (row["status"], row["result"]), ("completed", "survived"))
        check.equal("a new run completes", s.wait_task(s.start_task("new", "[[say new]]"))["status"], "completed")
        check.equal("integrity_check", s.one("PRAGMA integrity_check"), "ok")
        s.failed = check.failed > 0


def test(check):
    mount = tempfile.mkdtemp(prefix="stg-full-")
    os.chmod(mount, 0o755)
    if os.geteuid() != 0 or subprocess.run(["mount", "-t", "tmpfs", "-o", "size=24m,mode=755", "tmpfs", mount],
        capture_output=True).returncode != 0:
        os.rmdir(mount)
        print("wait crash/diskfull.py: needs root and the right to mount a tmpfs\n1 waiting")
        return
    try:
        os.mkdir(mount + "/data")
        disk(check, mount)
    finally:
        subprocess.run(["umount", "-l", mount])
        os.rmdir(mount)


main(test)
