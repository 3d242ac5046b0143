"""Profiles as folders on disk: profiles.py [nginx|lighttpd]. Built-ins are copied and restored, plain skills and links are left alone,
broken files are passed over and can be mended, nothing is half written, projects show their own; tests and assist have their rows
in the ledger, and stop at a spend cap."""
import os, sys, threading

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main


def profile(i, **more):
    return {"id": i, "name": f"N {i}", "version": "1.0.0", "domain": "work", "tags": ["t"], **more}


def ids(s, query=""):
    return [p["id"] for p in s.ok("GET", "/api/profiles" + query)]


def put(path, text):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def built_ins(s, check, skills):
    names = s.ok("GET", "/api/profiles")
    check.equal("twenty built-in profiles", len(names), 20)
    check.equal("by name", [p["name"] for p in names], sorted((p["name"] for p in names), key=str.lower))
    check.equal("they are copied into the user's folder", sorted(p.name for p in skills.iterdir()), sorted(p["id"] for p in names))
    put(skills / "general" / "SKILL.md", "---\ndescription: Mine\n---\nMy own words")
    check.equal("an edited copy is what is served", s.ok("GET", "/api/profiles/general")["description"], "Mine")
    for f in (skills / "sweep").iterdir():
        f.unlink()
    (skills / "sweep").rmdir()
    check.equal("a deleted copy is served", s.ok("GET", "/api/profiles/sweep")["isBuiltin"], True)
    check("and restored", (skills / "sweep" / "profile.yaml").exists())
    (skills / "sweep" / "profile.yaml").unlink()
    (skills / "general" / "profile.yaml").unlink()
    ids(s)
    check("a lost profile.yaml comes back", (skills / "sweep" / "profile.yaml").exists())
    check("but not beside another text", not (skills / "general" / "profile.yaml").exists() and s.ok("GET", "/api/profiles/general")["description"] != "Mine")
    put(skills / "researcher" / "profile.yaml", "id: [")
    check.equal("a broken copy does not hide the built-in", s.ok("GET", "/api/profiles/researcher")["name"], "Researcher")


def folders(s, check, skills):
    put(skills / "plain" / "SKILL.md", "a skill of another program")
    put(skills / "empty" / "notes.txt", "kept")
    put(skills / "broken" / "profile.yaml", "id: broken\nname: 5\n")
    outside = s.root / "outside"
    put(outside / "secret" / "SKILL.md", "untouched")
    (skills / "link").symlink_to(outside / "secret")
    check("neither skills nor broken folders are profiles", not {"plain", "empty", "broken", "link"} & set(ids(s)), ids(s))
    for i in ("plain", "broken", "link"):
        check.equal(f"{i} is not overwritten", s.api("POST", "/api/profiles", profile(i)), (400, {"error": f'Profile "{i}" already exists'}))
    check.equal("nor a link followed", sorted(p.name for p in (outside / "secret").iterdir()), ["SKILL.md"])
    check.equal("a plain skill is not removed", s.api("DELETE", "/api/profiles/plain"), (400, {"error": 'Profile "plain" not found'}))
    s.ok("POST", "/api/profiles", profile("empty", skillMd="text"))
    check.equal("a folder with other files keeps them", sorted(p.name for p in (skills / "empty").iterdir()), ["SKILL.md", "notes.txt", "profile.yaml"])
    check.equal("profile.yaml has the keys in their order", (skills / "empty" / "profile.yaml").read_text(),
                "id: empty\nname: N empty\nversion: 1.0.0\ndomain: work\ntags:\n- t\n")
    s.ok("PUT", "/api/profiles/broken", profile("broken"))
    check("a broken profile can be mended", "broken" in ids(s))
    put(skills / "broken" / "profile.yaml", "{")
    s.ok("DELETE", "/api/profiles/broken")
    check("and removed", not (skills / "broken").exists())
    put(outside / "linked" / "profile.yaml", (skills / "empty" / "profile.yaml").read_text().replace("empty", "linked"))
    (skills / "linked").symlink_to(outside / "linked")
    status, got = s.api("PUT", "/api/profiles/linked", profile("linked"))
    check("what is linked is not written", status == 400 and "link" in got["error"] and not (outside / "linked" / "SKILL.md").exists(), got)
    s.ok("DELETE", "/api/profiles/linked")
    check("of a link only the link is removed", (outside / "linked" / "profile.yaml").exists() and not (skills / "linked").is_symlink())
    put(skills / "other-name" / "profile.yaml", "id: by-id\nname: x\nversion: 1.0.0\ndomain: work\ntags: []\n")
    check.equal("an id that another folder claims is taken", s.api("POST", "/api/profiles", profile("by-id"))[0], 400)
    s.ok("PUT", "/api/profiles/by-id", profile("by-id", skillMd="new"))
    check.equal("a profile is changed where it is", (skills / "other-name" / "SKILL.md").read_text(), "new")
    s.ok("DELETE", "/api/profiles/by-id")
    check("and removed there", not (skills / "other-name").exists())


def together(s, check, skills):
    got = []
    threads = [threading.Thread(target=lambda: got.append(s.api("POST", "/api/profiles", profile("race"))[0])) for _ in range(8)]
    [t.start() for t in threads], [t.join() for t in threads]
    check.equal("of eight that create one profile one does", sorted(got), [201] + [400] * 7)
    done = threading.Event()
    bad = []

    def look():
        while not done.is_set():
            status, p = s.api("GET", "/api/profiles/race")
            if status != 200 or p["name"] not in ("N race", "B" * 5000) or p["skillMd"] not in ("", "x" * 100000):
                bad.append((status, str(p)[:200]))
    t = threading.Thread(target=look)
    t.start()
    for i in range(40):
        s.ok("PUT", "/api/profiles/race", profile("race", **({"name": "B" * 5000, "skillMd": "x" * 100000} if i % 2 else {})))
    done.set()
    t.join()
    check("a reader never meets half a file", not bad, bad[:3])
    s.ok("DELETE", "/api/profiles/race")
    check("nothing is left aside", not [p for p in skills.iterdir() if p.name.startswith(".")])


def projects(s, check):
    top = s.root / "project"
    own = top / ".claude" / "skills"
    put(own / "full" / "profile.yaml", "id: full\nname: äfull\nversion: 1.0.0\ndomain: personal\ntags: [a]\n")
    put(own / "full" / "SKILL.md", "---\ndescription: Full one\n---\n")
    put(own / "mine" / "SKILL.md", '---\nname: "quoted"\ndescription: >-\n  folded\n---\n')
    put(own / "bare" / "SKILL.md", "---\nname: x\n")
    put(own / "general" / "SKILL.md", "general here")
    put(own / "half" / "profile.yaml", "id: half\n")
    put(own / "bad" / "profile.yaml", "id: bad\n")
    put(own / "bad" / "SKILL.md", "")
    put(s.root / "private" / "SKILL.md", "nobody's business")
    (own / "out").symlink_to(s.root / "private")
    (own / "out2").mkdir()
    (own / "out2" / "SKILL.md").symlink_to(s.root / "private" / "SKILL.md")
    put(top / "shared" / "SKILL.md", "---\nname: zlinked\n---\n")
    (own / "in").symlink_to(top / "shared")
    p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(top)})["id"]
    got = s.ok("GET", f"/api/profiles?scope=project&projectId={p}")
    by = {x["id"]: x for x in got}
    check.equal("the profiles of a project, links that lead out of it left alone", [x["id"] for x in got], ["mine", "full", "bare", "general", "in"])
    check.equal("a minimal one", {k: by["bare"].get(k, "-") for k in ("name", "description", "domain", "tags", "supportedRuntimes", "version", "scope", "readOnly", "origin")},
                {"name": "bare", "description": "Project skill: bare", "domain": "work", "tags": ["project-skill"], "supportedRuntimes": ["claude-code"],
                 "version": "-", "scope": "project", "readOnly": True, "origin": "manual"})
    check.equal("its front matter is no YAML", (by["mine"]["name"], by["mine"]["description"]), ('"quoted"', ">-"))
    check("the id of a built-in has no origin", "origin" not in by["general"], by["general"])
    check.equal("all of them together", len(ids(s, f"?scope=all&projectId={p}")), len(ids(s)) + 5)
    check.equal("only those of everybody otherwise", ids(s, f"?projectId={p}"), ids(s))
    check.equal("a project's profile is not found by id", s.api("GET", "/api/profiles/full")[0], 404)
    s.ok("PATCH", f"/api/projects/{p}", {"workingDirectory": str(top / "none")})
    check.equal("a folder that is not there gives none", ids(s, f"?scope=project&projectId={p}"), [])


def ledger(s, check):
    s.ok("POST", "/api/settings", {"method": "api_key", "apiKey": "sk-ant-test-0123456789"})
    s.ok("POST", "/api/profiles", profile("led", tests=[{"task": "[[say a]]", "expectedKeywords": ["a"]}, {"task": "[[error 400]]", "expectedKeywords": []}]))
    report = s.ok("POST", "/api/profiles/led/test")
    check.equal("a call that fails is a failed test, keywords or not", [r["passed"] for r in report["results"]], [True, False])
    check.equal("the documented names are there", (report["total"], report["passed"]), (2, 1))
    s.api("POST", "/api/profiles/assist", {"goal": "[[say {}]]"})
    rows = s.rows("SELECT activity_type, status, runtime_id FROM usage_ledger WHERE activity_type LIKE 'profile%' ORDER BY rowid")
    check.equal("a row for each call", [tuple(r.values()) for r in rows], [("profile_test", "completed", "claude-code"), ("profile_test", "failed", "claude-code"),
                                                                  ("profile_assist", "completed", "claude-code")])
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": 0.000001})
    for path, body in (("led/test", {}), ("led/test-single", {"testIndex": 0}), ("assist", {"goal": "x"})):
        status, got = s.api("POST", f"/api/profiles/{path}", body)
        check(f"{path} beyond the cap", status == 429 and " daily spend is " in got["error"], (status, got))
    check.equal("a report without tests costs nothing", s.api("POST", "/api/profiles/general/test")[0], 200)
    check.equal("the stored report stands", s.ok("GET", "/api/profiles/led/test-results"), report)


def test(check):
    with Stack(sys.argv[1] if len(sys.argv) > 1 else "nginx") as s:
        skills = s.root / "home" / ".claude" / "skills"
        built_ins(s, check, skills)
        folders(s, check, skills)
        together(s, check, skills)
        projects(s, check)
        ledger(s, check)


main(test)
