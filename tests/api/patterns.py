"""Which calls a saved pattern covers, shown by real runs: a covered call goes through, another one asks.

The table holds the forms of permissions.md and engine.md (*Matching a call against a pattern*) that the recorded scenarios lack.
"""
import json, os, sys

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

PASS, ASK = "passes", "asks"
TABLE = [
    ("T1", "T1", {}, PASS), ("T1", "T1x", {}, ASK), ("T1", "t1", {}, ASK), ("T1*", "T1xyz", {"a": 1}, PASS),
    ("mcp__*", "mcp__a__b", {}, PASS), ("mcp__*", "mcp_a", {}, ASK),
    ("T2(*)", "T2", {}, PASS), ("T2(*)", "T2x", {}, ASK), ("T2(k:*)", "T2", {"k": "v"}, PASS),
    ("T2(k:v)", "T2", {"k": "v2"}, ASK), ("T2(k:true)", "T2", {"k": True}, PASS), ("T2(k:)", "T2", {"k": None}, PASS),
    ("T2(k: v)", "T2", {"k": "v"}, ASK), ("T2(k:a:b*)", "T2", {"k": "a:bc"}, PASS), ("T2(K:v)", "T2", {"k": "v"}, ASK),
    ("T2(k:v", "T2", {"k": "v"}, ASK), ("T2(abc)", "T2", {"n": 1, "x": "abc"}, PASS), ("T2(ab*)", "T2", {"x": "abc"}, PASS),
    ("T2(a*c)", "T2", {"x": "abbc"}, PASS), ("T2(ab**)", "T2", {"x": "abc"}, PASS),
    ("Bash(git *)", "Bash", {"command": "git status"}, PASS), ("Bash(git *)", "Bash", {"cmd": "git status"}, PASS),
    ("Bash(git *)", "Bash", {"command": "gitk"}, ASK), ("Bash(ls)", "Bash", {"command": "ls"}, PASS),
    ("Bash(ls)", "Bash", {"command": "ls -l"}, ASK),
    ("Bash(git:*)", "Bash", {"command": "git"}, PASS), ("Bash(git:*)", "Bash", {"command": "git log"}, PASS),
    ("Bash(git:*)", "Bash", {"command": "gitk"}, ASK), ("Bash(npm run:*)", "Bash", {"command": "npm run x"}, PASS),
    ("Bash(npm run:*)", "Bash", {"command": "npm runx"}, ASK),
    ("Bash(git:*)", "Bash", {"command": "git log; rm x"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log && rm x"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log | sh"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log > /etc/x"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log < x"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log\nrm x"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git `rm x`"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git $(rm x)"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git \"$(rm x)\""}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log 'a;b|c'"}, PASS),
    ("Bash(command:git *)", "Bash", {"command": "git log 'a' ; 'b'"}, ASK),
    ("Bash(command:git *)", "Bash", {"command": "git log $HOME"}, PASS),
    ("Bash", "Bash", {"command": "a; b"}, PASS), ("Bash(*)", "Bash", {"command": "a | b"}, PASS),
    ("Bash(command:*)", "Bash", {"command": "a && b"}, PASS), ("Bash(command:a; b)", "Bash", {"command": "a; b"}, PASS),
    ("Read(/srv/*)", "Read", {"file_path": "/srv/a"}, PASS), ("Read(/srv/*)", "Read", {"file_path": "/srv/../etc/x"}, ASK),
    ("Read(/srv/*)", "Read", {"file_path": "/srvx"}, ASK), ("Read(file_path:/srv/*)", "Read", {"file_path": "/srv/./a"}, PASS),
    ("Write(path:/srv/*)", "Write", {"path": "/srv/a/../../etc"}, ASK),
    ("Edit(/srv/**)", "Edit", {"path": "/srv/a/b"}, PASS), ("Glob(*.c)", "Glob", {"pattern": "x.c"}, PASS),
    ("Grep(foo*)", "Grep", {"path": "/x", "pattern": "foobar"}, PASS),
    ("WebFetch(*a.example/*)", "WebFetch", {"prompt": "x", "url": "https://a.example/p"}, PASS),
    ("WebFetch(url:https://a.example/*)", "WebFetch", {"url": "https://a.example/p"}, PASS),
    ("WebSearch(cats)", "WebSearch", {"query": "cats"}, PASS),
    ("Write(src/**)", "Write", {"file_path": "src/a/b.c"}, PASS),
    ("Write(src/**)", "Write", {"file_path": "src/../secret"}, ASK), ("LS(/srv*)", "LS", {"path": "/srv"}, PASS),
    ("NotebookEdit(/n/*)", "NotebookEdit", {"new_source": "x", "notebook_path": "/n/a"}, PASS),
    ("list_tasks", "mcp__stagent__list_tasks", {}, PASS), ("Bash(command:git *)", "Bash", {"command": "git"}, ASK),
    ("t(z:*)", "t", {}, PASS), ("get_x(key:*x)", "get_x", {"key": "ax"}, ASK),
    ("AskUserQuestion", "AskUserQuestion", {"questions": []}, ASK),
]


def test(check):
    with Stack() as s:
        for pattern, tool, inp, want in TABLE:
            s.ok("POST", "/api/permissions", {"pattern": pattern})
            t = s.start_task("pattern", f"[[tool {tool} {json.dumps(inp)}]] [[say end]]")
            def look():
                asked = s.one("SELECT count(*) FROM notifications WHERE task_id=? AND type IN ('permission_required', 'agent_message')", t)
                return ASK if asked else PASS if s.ok("GET", f"/api/tasks/{t}")["status"] == "completed" else None
            check.equal(f"{pattern} on {tool} {json.dumps(inp)}", s.until(look, bool, 10), want)
            s.ok("POST", f"/api/tasks/{t}/cancel")
            s.ok("DELETE", "/api/permissions", {"pattern": pattern})
        s.failed = check.failed > 0


main(test)
