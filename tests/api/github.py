"""Importing profiles from GitHub, github.py [--answers FILE]: what a repository has is found, previewed, confirmed, checked for updates and updated; one profile
comes by its address. A refusal is told in words.

GitHub is a small server here; the job runner alone asks it.
"""
import argparse, hashlib, json, os, sys, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

QA = """---
name: qa
version: 1.2.3
description: QA
allowed-tools:
  - Bash
  - Read
---
# QA

You are a tester. Run the tests.

## Browser checks

Drives a browser with playwright in a workflow.

## Output format
"""
NATIVE = """---
name: native
description: >
  Short
  one
extra: kept
---
A body that says what this native profile is good for.
"""
YAML = "id: nat-1\nname: Native one\nversion: 2.0.0\ndomain: work\ntags: [own]\nhooks:\n  preToolCall: [x]\npreferredRuntime: ollama\n"
README = """# Skills

| Skill | Who | What |
|---|---|---|
| /qa | Tester | Runs **thorough** QA passes on the app |
"""
FILES = {"README.md": README, "skills/qa/SKILL.md": QA, "skills/native/SKILL.md": NATIVE, "skills/native/profile.yaml": YAML,
         "skills/native/readme.md": "# N\n", "skills/tmpl/SKILL.md.tmpl": "Just a text about gardening and flowers.\n",
         "skills/odd name#1/SKILL.md": "---\nname: odd\n---\nNever mind.\n", "skills/broken/SKILL.md": "---\nname: broken\n---\n",
         "skills/broken/profile.yaml": "id: b\nname: B\n", "docs/x.md": "x"}
state = {"head": "sha-1", "refuse": None}
asked = []


class GitHub(BaseHTTPRequestHandler):
    def answer(self, status, text, headers=()):
        data = text if isinstance(text, bytes) else text.encode()
        self.send_response(status)
        for k, v in headers:
            self.send_header(k, v)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        path = unquote(self.path.partition("?")[0])
        asked.append((path, self.headers.get("accept"), self.headers.get("user-agent"), self.headers.get("authorization")))
        if path.startswith("/api/") and state["refuse"]:
            return self.answer(*state["refuse"])
        if path == "/api/repos/acme/old-name":
            return self.answer(301, "{}", [("location", "/api/repos/acme/skills")])
        if path == "/api/repos/acme/ring":
            return self.answer(301, "{}", [("location", "/api/repos/acme/ring")])
        if path == "/api/repos/acme/skills":
            return self.answer(200, json.dumps({"default_branch": "trunk"}))
        if path == "/api/repos/acme/skills/git/ref/heads/trunk":
            return self.answer(200, json.dumps({"object": {"sha": state["head"]}}))
        if path == f"/api/repos/acme/skills/git/trees/{state['head']}":
            return self.answer(200, json.dumps({"tree": [{"type": "tree", "path": "skills"}, *({"type": "blob", "path": p} for p in FILES)]}))
        if path.startswith("/raw/acme/skills/trunk/") and path[len("/raw/acme/skills/trunk/"):] in FILES:
            return self.answer(200, FILES[path[len("/raw/acme/skills/trunk/"):]])
        self.answer(404, "no")

    def log_message(self, *args):
        pass


def scan_and_preview(s, check):
    status, got = s.api("POST", "/api/profiles/import-repo/scan", {"url": "https://github.com/acme/skills"})
    check.equal("a repository is scanned", (status, got.get("branch"), got.get("commitSha")), (200, "trunk", "sha-1"))
    skills = got["discoveredSkills"]
    check.equal("every folder with a SKILL.md is a skill", [x["path"] for x in skills],
                ["skills/broken", "skills/native", "skills/odd name#1", "skills/qa", "skills/tmpl"])
    by = {x["path"].split("/")[1]: x for x in skills}
    check.equal("with its format", [by[k]["format"] for k in ("native", "qa", "tmpl")], ["stagent", "skillmd-only", "unknown"])
    check.equal("and its front matter", by["qa"]["frontmatter"],
                {"name": "qa", "version": "1.2.3", "description": "QA", "allowed-tools": "Bash, Read"})
    check.equal("blocks are joined", by["native"]["description"], "Short one")
    check("a readme in any case counts", by["native"]["hasReadme"] and not by["qa"]["hasReadme"], by)
    check.equal("the repository's README comes along", got["repoReadme"], README)
    check("the API hears who asks", all(a[1] == "application/vnd.github.v3+json" and a[2] == "Stagent/1.0" and a[3] is None
                                        for a in asked if a[0].startswith("/api/")), asked)
    body = {k: got[k] for k in ("owner", "repo", "branch", "commitSha", "repoReadme")} | {"repoUrl": "https://github.com/acme/skills", "skills": skills}
    status, got = s.api("POST", "/api/profiles/import-repo/preview", body)
    check.equal("the skills are previewed", (status, len(got["previews"])), (200, 5))
    previews = {p["skill"]["path"].split("/")[1]: p for p in got["previews"]}
    c = previews["qa"]["config"]
    check.equal("the worked example", (c["id"], c["name"], c["version"], c["domain"], c["tags"], c["allowedTools"], c["author"], c["source"]),
                ("qa", "Qa", "1.2.3", "work", ["qa", "browser", "workflow", "checks", "format", "cli"], ["Bash", "Read"], "acme",
                 "https://github.com/acme/skills/tree/trunk/skills/qa"))
    check("its description stands in the text", "\ndescription: Runs thorough QA passes on the app\n" in previews["qa"]["skillMd"]
          and "description: QA\n" not in previews["qa"]["skillMd"], previews["qa"]["skillMd"])
    m = c["importMeta"]
    check.equal("where it comes from is noted", (m["filePath"], m["commitSha"], m["contentHash"], m["sourceFormat"]),
                ("skills/qa", "sha-1", hashlib.sha256(QA.encode()).hexdigest(), "skillmd-only"))
    check.equal("it is new", previews["qa"]["dedup"], {"status": "new"})
    n = previews["native"]
    check.equal("a profile.yaml is kept", (n["config"]["id"], n["config"]["hooks"], n["config"]["preferredRuntime"], n["config"]["tags"][0]),
                ("nat-1", {"preToolCall": ["x"]}, "ollama", "own"))
    check("a block description goes with all its lines", "Short" not in n["skillMd"] and "\ndescription: A body that says what this native profile is good for.\nextra: kept\n" in n["skillMd"], n["skillMd"])
    check("a bad profile.yaml is an error", previews["broken"]["config"] is None
          and previews["broken"]["error"].startswith("Invalid profile.yaml in skills/broken: Invalid input: expected string"), previews["broken"])
    status, got = s.api("POST", "/api/profiles/import-repo/preview", {**body, "skills": [{**by["native"], "format": "skillmd-only"}]})
    check.equal("a profile.yaml counts only where the format says so", got["previews"][0]["config"]["importMeta"]["sourceFormat"], "skillmd-only")
    check.equal("a template counts as the text", previews["tmpl"]["config"]["id"], "tmpl")
    check("its front matter is made", previews["tmpl"]["skillMd"].startswith("---\nname: Just a text about gardening and flowers\ndescription: Just"),
          previews["tmpl"]["skillMd"])
    return body, previews


def confirm(s, check, body, previews):
    imports = [{"config": previews[k]["config"], "skillMd": previews[k]["skillMd"], "action": "import"} for k in ("qa", "native", "tmpl")]
    status, got = s.api("POST", "/api/profiles/import-repo/confirm", {**{k: body[k] for k in ("repoUrl", "owner", "repo", "branch", "commitSha")},
        "imports": [*imports, {"action": "import"}, {"config": {"id": "zz"}, "action": "melt"}, {"action": "skip"},
                    {"config": {"id": "../x", "name": "x", "version": "1.0.0", "domain": "work", "tags": []}, "action": "import"}]})
    check.equal("what is chosen becomes profiles", (status, got["imported"], got["skipped"], got["profileIds"]), (201, 3, 1, ["qa", "nat-1", "tmpl"]))
    check.equal("what is wrong stops nothing else", got["errors"], ["imports[3]: config is required", "zz: Unknown action: melt",
        "../x: id may only contain letters, digits, dots, dashes and underscores (max 100 characters)"])
    p = s.ok("GET", "/api/profiles/qa")
    check.equal("the profile is an import", (p["origin"], p["description"]), ("import", "Runs thorough QA passes on the app"))
    _, got = s.api("POST", "/api/profiles/import-repo/preview", body)
    dedup = [x["dedup"] and x["dedup"].get("matchReason") for x in got["previews"]]
    check.equal("now they are known", dedup, [None, 'Same ID: "nat-1"', None, 'Same ID: "qa"', 'Same ID: "tmpl"'])
    return next(r for r in s.ok("GET", "/api/profiles/import-repo") if r["profileIds"] == ["qa", "nat-1", "tmpl"])["id"]


def updates(s, check, record):
    got = s.ok("POST", "/api/profiles/import-repo/check-updates", {"repoImportId": record})
    check.equal("the same commit has no updates", (got["hasUpdates"], [u["hasUpdate"] for u in got["updates"]]), (False, [False] * 3))
    check("the check is noted", s.ok("GET", "/api/profiles/import-repo")[0]["lastCheckedAt"] is not None)
    state["head"] = "sha-2"
    FILES["skills/native/SKILL.md"] = NATIVE + "\n## Security review\n"
    FILES["skills/tmpl/SKILL.md.tmpl"] += "More.\n"
    del FILES["skills/qa/SKILL.md"]
    got = s.ok("POST", "/api/profiles/import-repo/check-updates", {"repoImportId": record})
    check.equal("a changed text is an update, templates too", {u["profileId"]: (u["hasUpdate"], u["remoteHash"] == "fetch-error") for u in got["updates"]},
                {"qa": (False, True), "nat-1": (True, False), "tmpl": (True, False)})
    got = s.ok("POST", "/api/profiles/import-repo/apply-updates", {"updates": [{"profileId": i, "accept": True} for i in ("nat-1", "tmpl", "qa")] + [{"profileId": "x"}]})
    check.equal("updates are taken over", (got["applied"], got["skipped"], len(got["errors"])), (2, 1, 1))
    p = s.ok("GET", "/api/profiles/nat-1")
    check("with the new text, and tags behind the old ones", "## Security review" in p["skillMd"] and p["tags"][0] == "own" and "security" in p["tags"], p["tags"])
    check.equal("everything else stays", (p["hooks"], p["preferredRuntime"], p["version"]), ({"preToolCall": ["x"]}, "ollama", "2.0.0"))
    check.equal("the commit moves on", p["importMeta"]["commitSha"], "sha-2")
    got = s.ok("POST", "/api/profiles/import-repo/check-updates", {"profileId": "nat-1"})
    check.equal("then there is nothing newer", got["hasUpdates"], False)


def one(s, check):
    status, got = s.api("POST", "/api/profiles/import", {"url": "https://github.com/acme/skills/tree/trunk/skills/native/"})
    check.equal("an id that is taken is refused", (status, got), (400, {"error": 'Profile "nat-1" already exists'}))
    FILES["skills/native/profile.yaml"] = YAML.replace("nat-1", "nat-2")
    status, got = s.api("POST", "/api/profiles/import", {"url": "https://raw.githubusercontent.com/acme/skills/trunk/skills/native/profile.yaml"})
    check.equal("one profile comes by its address", (status, got), (201, {"ok": True, "id": "nat-2", "name": "Native one"}))
    check("with its text", "## Security review" in s.ok("GET", "/api/profiles/nat-2")["skillMd"])
    FILES["skills/odd name#1/my-profile.yaml"] = YAML.replace("nat-1", "nat-3")
    status, got = s.api("POST", "/api/profiles/import", {"url": " https://github.com/acme/skills/blob/trunk/skills/odd%20name%231/my-profile.yaml"})
    check.equal("escapes are decoded, and whatever ends in profile.yaml is the file", (status, got), (201, {"ok": True, "id": "nat-3", "name": "Native one"}))
    check.equal("with the text beside it", s.ok("GET", "/api/profiles/nat-3")["skillMd"], FILES["skills/odd name#1/SKILL.md"])
    check.equal("dots name no owner", s.api("POST", "/api/profiles/import-repo/scan", {"url": "https://github.com/../acme"}),
                (400, {"error": "Invalid GitHub URL. Provide a URL like https://github.com/owner/repo"}))
    check.equal("blanks are no address", s.api("POST", "/api/profiles/import", {"url": " "}),
                (400, {"error": "Only GitHub URLs are supported (github.com or raw.githubusercontent.com)"}))
    for url, words in (("https://github.com/acme/skills/blob/trunk/nothing", "Failed to fetch profile.yaml: 404"),
                       ("https://github.com/acme/skills/tree/trunk/skills/broken", None),
                       ("https://evil.example/acme/skills/tree/trunk/x", "Only GitHub URLs are supported (github.com or raw.githubusercontent.com)"),
                       ("https://github.com@evil.example/a/b/tree/c/d", "Only GitHub URLs are supported (github.com or raw.githubusercontent.com)")):
        status, got = s.api("POST", "/api/profiles/import", {"url": url})
        check(f"refused: {url}", status == 400 and (got["error"] == words if words else got["error"].startswith("Invalid profile.yaml: ")), got)


def refusals(s, check):
    soon = str(int(time.time()) + 100)
    for refuse, words in (((404, "{}"), "Repository not found. Check the URL and try again."),
                          ((403, "{}", [("x-ratelimit-remaining", "0")]), "GitHub API rate limit exceeded. Resets in ?s. Set a GITHUB_TOKEN"),
                          ((403, "{}", [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", soon)]), "GitHub API rate limit exceeded. Resets in "),
                          ((401, "{}", [("x-ratelimit-remaining", "0")]), "GitHub API rate limit exceeded. Resets in ?s. Set a GITHUB_TOKEN"),
                          ((403, "{}", [("x-ratelimit-remaining", "9")]), "Access denied (403). Set a GITHUB_TOKEN"),
                          ((401, "{}"), "Access denied (401). Set a GITHUB_TOKEN environment variable to access private repositories."),
                          ((502, "{}"), "GitHub API error (502). Please try again later.")):
        state["refuse"] = refuse
        status, got = s.api("POST", "/api/profiles/import-repo/scan", {"url": "https://github.com/acme/skills"})
        check(f"GitHub answers {refuse[0]}", status == 400 and got["error"].startswith(words), got)
    check.equal("unknown then", s.ok("POST", "/api/profiles/import-repo/check-updates", {"profileId": "nat-1"})["updates"][0]["remoteHash"], "unknown")
    state["refuse"] = None
    status, got = s.api("POST", "/api/profiles/import-repo/scan", {"url": "https://github.com/acme/ring"})
    check("a ring of redirects ends", (status, got) == (400, {"error": "GitHub API error (301). Please try again later."}), got)
    status, got = s.api("POST", "/api/profiles/import-repo/scan", {"url": "https://github.com/acme/old-name"})
    check("a redirect is followed", status == 400 and got["error"].startswith("Repository not found")
          and [a[0] for a in asked[-3:]] == ["/api/repos/acme/old-name", "/api/repos/acme/skills", "/api/repos/acme/old-name/git/ref/heads/trunk"], asked[-3:])
    FILES["skills/qa/SKILL.md"] = b"\xff\xfe no text"
    FILES["skills/tmpl/SKILL.md.tmpl"] = "x" * (1 << 20) + "y"
    got = s.ok("POST", "/api/profiles/import-repo/preview", {"owner": "acme", "repo": "skills", "branch": "trunk", "skills": [
        {"name": n, "path": f"skills/{n}", "hasSkillMd": True} for n in ("qa", "tmpl", "native/../../../x")]})
    check.equal("texts that are none, are too large or not there", [p["error"] for p in got["previews"]],
                ["SKILL.md is no text", "The file is too large (max 1 MiB)", "SKILL.md.tmpl cannot be fetched: HTTP 404"])


def test(check):
    server = ThreadingHTTPServer(("127.0.0.1", 0), GitHub)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    ap = argparse.ArgumentParser()
    ap.add_argument("--answers")
    with Stack(options={"github.api": at + "/api", "github.raw": at + "/raw"}) as s:
        s.answers = ap.parse_args().answers
        body, previews = scan_and_preview(s, check)
        updates(s, check, confirm(s, check, body, previews))
        one(s, check)
        refusals(s, check)
    server.shutdown()


main(test)
