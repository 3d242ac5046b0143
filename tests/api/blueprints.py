"""Blueprints as files, blueprints.py [nginx|lighttpd] [--answers FILE]: what is posted is kept as it is, what is dropped into the folder or taken from it counts at
once in every worker, of many writers one succeeds, nothing is half written; imports come from GitHub alone; what is made runs.

GitHub is a small server here; the job runner alone asks it.
"""
import argparse, os, sys, threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main

STEP = "- {name: s, profileId: general, promptTemplate: 'Say {{what}}.', requiresApproval: false}\n"


def text(i, name="N", steps=STEP):
    return (f"# kept\nid: {i}\nname: {name}\ndescription: ''\nversion: 1.0.0\ndomain: work\ntags: []\npattern: sequence\n"
            f"variables:\n- {{id: what, type: text, label: W, required: false}}\nsteps:\n{steps}")


def shown(s):
    return [(b["id"], b["name"], b["isBuiltin"]) for b in s.ok("GET", "/api/blueprints")]


def everywhere(s, n=12):
    """What N requests, which several workers answer, are shown: the answers there are."""
    return {str(shown(s)) for _ in range(n)}


def folder(s, check, data):
    built_in = shown(s)
    check.equal("thirteen built-in blueprints by file name", (len(built_in), all(b[2] for b in built_in), built_in), (13, True, sorted(built_in)))
    check("the folder is made when it is needed", not (data / "blueprints").exists())
    s.ok("POST", "/api/blueprints", {"yaml": text("own", "é # x")})
    f = data / "blueprints" / "own.yaml"
    check.equal("the text is kept as it was posted", f.read_text(encoding="utf-8"), text("own", "é # x"))
    check.equal("nobody else may read it", (f.parent.stat().st_mode & 0o777, f.stat().st_mode & 0o777), (0o700, 0o600))
    check.equal("it is shown last, by every worker", everywhere(s), {str([*built_in, ("own", "é", False)])})
    put = lambda name, t: (f.parent / name).write_text(t, encoding="utf-8")
    put("a.yml", text("dropped"))
    put("b.yaml", text("travel-planning", "Mine"))
    put("broken.yaml", "id: [")
    put("c.json", text("json"))
    put("d.yaml", text("../leads-out"))
    mine = [(i, "Mine" if i == "travel-planning" else n, b and i != "travel-planning") for i, n, b in built_in]
    check.equal("files count at once, and take the place of built-in ones", everywhere(s), {str([*mine, ("dropped", "N", False), ("own", "é", False)])})
    put("a.yml", text("dropped", "M"))
    check.equal("a change of the same length, too", everywhere(s), {str([*mine, ("dropped", "M", False), ("own", "é", False)])})
    check("broken ones are named in the log", s.log("master").count("broken.yaml passed over") >= 1, s.tail("master"))
    check.equal("an id is taken, whatever its file is called", s.api("POST", "/api/blueprints", {"yaml": text("dropped")}), (400, {"error": 'Blueprint "dropped" already exists'}))
    check.equal("so is a file", s.api("POST", "/api/blueprints", {"yaml": text("broken")}), (400, {"error": 'Blueprint "broken" already exists'}))
    put("e.yaml", text("own-2"))
    check.equal("the file of another blueprint is not removed", s.api("DELETE", "/api/blueprints/e"), (400, {"error": 'Blueprint "e" not found'}))
    for i in ("dropped", "travel-planning", "broken", "d", "own-2"):
        check.equal(f"{i} is removed", s.api("DELETE", f"/api/blueprints/{i}"), (200, {"ok": True}))
    check.equal("what is none of ours is not", [p.name for p in f.parent.iterdir() if p.name != "own.yaml"], ["c.json"])
    check.equal("a built-in is back", everywhere(s), {str([*built_in, ("own", "é", False)])})
    f.unlink()
    check.equal("a file that is gone does not count", everywhere(s), {str(built_in)})
    return f.parent


def writers(s, check, path):
    secret = s.root / "secret"
    (path / "link.yaml").symlink_to(secret)
    check.equal("a link is not followed", (s.api("POST", "/api/blueprints", {"yaml": text("link")}), secret.exists()),
                ((400, {"error": 'Blueprint "link" already exists'}), False))
    (path / "link.yaml").unlink()
    got = []
    threads = [threading.Thread(target=lambda: got.append(s.api("POST", "/api/blueprints", {"yaml": text("race", "N" * (1 + n))})[0])) for n in range(12)]
    for t in threads:
        t.start()
    for t in threads:
        t.join()
    check.equal("of many writers one succeeds", sorted(got), [201] + [400] * 11)
    check.equal("what they have written aside is gone", sorted(p.name for p in path.iterdir()), ["c.json", "race.yaml"])
    big = text("big") + "# " + "x" * (1 << 20)
    check.equal("a large one is refused", s.api("POST", "/api/blueprints", {"yaml": big}), (400, {"error": "Blueprint is too large (max 1MB)"}))
    s.ok("POST", "/api/blueprints", {"yaml": big[:1 << 20]})
    many = text("many", steps="- &s {name: s, profileId: p, promptTemplate: '{{what}}', requiresApproval: false}\n" + "- *s\n" * 300)
    s.ok("POST", "/api/blueprints", {"yaml": many})
    check.equal("so is a large workflow", s.api("POST", "/api/blueprints/many/instantiate", {"variables": {"what": "x" * 50000}}),
                (413, {"error": "The workflow is too large"}))
    check.equal("and one that is not comes about", s.api("POST", "/api/blueprints/many/instantiate", {"variables": {"what": "x"}})[1]["stepsCount"], 301)


FILES = {"/acme/bp/main/a.yaml": text("a"), "/acme/bp/main/d%20e/b.yml": text("b"), "/acme/bp/main/no": "id: 5\n", "/acme/bp/main/raw": b"\xff",
         "/acme/bp/main/large": "#" + "x" * (1 << 20), "/private?token=t": text("c"), "/acme/bp/main/text": text("moved")}
asked = []


class GitHub(BaseHTTPRequestHandler):
    def do_GET(self):
        asked.append(self.path)
        left = {"/hop": 0, "/hop1": 1, "/hop2": 2, "/hop3": 3, "/hop4": 4}.get(self.path)
        to = {"/away": "http://localhost:%d/acme/bp/main/a.yaml" % self.server.server_port, "/other": "ftp://127.0.0.1/x", "/ring": "/ring"}.get(self.path)
        if left is not None:
            to = f"/hop{left - 1}" if left > 1 else "/acme/bp/main/text"
        data = FILES.get(self.path, "no")
        data = data if isinstance(data, bytes) else data.encode()
        self.send_response(302 if to else 200 if self.path in FILES else 404)
        if to:
            self.send_header("location", to)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        try:
            self.wfile.write(data)
        except OSError:
            pass

    def log_message(self, *args):
        pass


def imports(s, check):
    get = lambda url: s.api("POST", "/api/blueprints/import", {"url": url})
    raw = "https://raw.githubusercontent.com"
    check.equal("a file on GitHub is imported", get("https://github.com/acme/bp/blob/main/a.yaml"), (201, {"ok": True, "id": "a", "name": "N"}))
    check.equal("as it is", s.ok("GET", "/api/blueprints/a")["isBuiltin"], False)
    check.equal("blanks are escaped", get("https://github.com/acme/bp/tree/main/d e/b.yml"), (201, {"ok": True, "id": "b", "name": "N"}))
    check.equal("the address of a raw file is used as it is", (get(raw + "/private?token=t"), asked[-1]), ((201, {"ok": True, "id": "c", "name": "N"}), "/private?token=t"))
    check.equal("one that is there is refused", get(raw + "/acme/bp/main/a.yaml"), (400, {"error": 'Blueprint "a" already exists'}))
    check.equal("three redirects are followed", get(raw + "/hop3"), (201, {"ok": True, "id": "moved", "name": "N"}))
    for url, words in (("/nothing", "Failed to fetch blueprint: 404"), ("", "Failed to fetch blueprint: 404"), ("/hop4", "Failed to fetch blueprint: 302"),
                       ("/ring", "Failed to fetch blueprint: 302"), ("/away", "Failed to fetch blueprint: 302"), ("/other", "Failed to fetch blueprint: 302"),
                       ("/acme/bp/main/large", "Blueprint is too large (max 1MB)"), ("/acme/bp/main/raw", "The file is no text")):
        check.equal(f"refused: {url}", get(raw + url), (400, {"error": words}))
    status, got = get(raw + "/acme/bp/main/no")
    check("what is no blueprint is refused as if it was posted", status == 400 and got["error"].startswith("Invalid blueprint: Invalid input: expected string, received number, "), got)
    check.equal("no other host is asked", s.api("POST", "/api/blueprints/import", {"url": "http://127.0.0.1/acme/bp/blob/main/a.yaml"}), (400, {"error": "Only GitHub URLs are supported"}))


def runs(s, check):
    made = s.ok("POST", "/api/blueprints/a/instantiate", {"variables": {"what": "[[say done]]"}})
    s.ok("POST", f"/api/workflows/{made['workflowId']}/execute")
    state = s.until(lambda: s.ok("GET", f"/api/workflows/{made['workflowId']}/status"), lambda w: w["status"] not in ("active", "draft"))
    check.equal("a workflow that was made runs", (state["status"], state["steps"][0]["state"]["status"]), ("completed", "completed"))
    check("and knows its blueprint", '"_blueprintId":"a"' in state["definition"], state["definition"])
    ops = {r["op"]: r["n"] for r in s.rows("SELECT op, count(*) n FROM audit WHERE subject_type = 'blueprint' GROUP BY op")}
    check.equal("changes are in the audit", ops, {"blueprint.create": 8, "blueprint.delete": 5})


def test(check):
    ap = argparse.ArgumentParser()
    ap.add_argument("server", nargs="?", default="nginx")
    ap.add_argument("--answers")
    a = ap.parse_args()
    github = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    threading.Thread(target=github.serve_forever, daemon=True).start()
    with Stack(server=a.server, options={"github.raw": f"http://127.0.0.1:{github.server_port}"}) as s:
        s.answers = a.answers
        writers(s, check, folder(s, check, s.data))
        imports(s, check)
        runs(s, check)
        before = shown(s)
        s.stop()
        s.start()
        check.equal("all of it survives a restart", shown(s), before)
    github.shutdown()


main(test)
