"""Tasks on claude-code with the real program (from npm, see programs.py), over a whole Stagent and the fake provider in
--strict: permissions, questions, our tools in its pipe, limits, faults of the provider, resuming, kill -9 of everything,
broken programs, the connection test, screenshots. The parts can be named: tests/claude.py [PART...]."""
import base64, json, os, struct, sys, threading, time, zlib
from http.server import BaseHTTPRequestHandler, HTTPServer

import programs
from agents import answer, asked, back, clients, end_run, end_runner, events, nothing_left, payloads
from stack import KEY, Stack, main, memory, title

CLAUDE = ""
QUESTION = '[[tool AskUserQuestion {"questions":[{"question":"Which color?","header":"Color","options":[{"label":"Red","description":"r"},{"label":"Blue","description":"b"}],"multiSelect":false}]}]]'


def stack(**options):
    program = options.pop("program", CLAUDE)
    return Stack(programs={"claude": program}, env=options.pop("env", {}), options={"runs.max": 24, **options})


def begin(s, method="api_key", learning="off"):
    s.ok("POST", "/api/settings", {"method": method, **({"apiKey": KEY} if method == "api_key" else {})})
    s.write([("INSERT INTO settings (key, value, updated_at) VALUES ('learning.autoExtract', ?, 1)", (learning,))])


def start(s, text, name="T", **more):
    return s.start_task(name, text, assignedAgent="claude-code", **more)


def bash(command):
    return "[[tool Bash %s]]" % json.dumps({"command": command})


def permissions(check):
    with stack() as s:
        begin(s)
        s.ok("POST", "/api/permissions", {"pattern": "Bash(command:touch *)"})
        work = s.root / "work"
        work.mkdir()
        p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(work)})["id"]
        t = start(s, f'{bash("touch one")} {bash("mkdir two && env > two/x")} {bash("mkdir three")} [[say all done]]', projectId=p)
        n = answer(s, t, "allow")
        check.equal("the request names tool and input", (n["toolName"], n["toolInput"]), ("Bash", {"command": "mkdir two && env > two/x"}))
        check.equal("it runs", s.ok("GET", f"/api/tasks/{t}")["status"], "running")
        child, = [c for c in clients(s) if "stream-json" in title(c)]
        env = dict(v.split("=", 1) for v in open(f"/proc/{child}/environ").read().split("\0") if "=" in v)
        check.equal("the program has a home of its own", env["CLAUDE_CONFIG_DIR"], str(s.data / "runtimes/claude-code"))
        check("and gets its key where nobody sees it", KEY not in "".join(env.values()) and "x-api-key" in s.provider_log()[0]["headers"])
        allowed = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "ANTHROPIC_BASE_URL", "CLAUDE_CODE_API_KEY_FILE_DESCRIPTOR",
                   "CLAUDE_CONFIG_DIR", "DISABLE_AUTOUPDATER", "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "CLAUDE_CODE_MAX_RETRIES",
                   "AGENT_RUN_ID"}
        check.equal("and nothing that it does not need", sorted(set(env) - allowed), [])
        check("no key is among its arguments", KEY not in title(child) and "--setting-sources" in title(child), title(child))
        check.equal("the private home is private", (s.data / "runtimes/claude-code").stat().st_mode & 0o777, 0o700)
        check.equal("it works in the project's folder", os.readlink(f"/proc/{child}/cwd"), str(work))
        row = s.rows("SELECT child_pid, child_start FROM engine_runs WHERE task_id = ?", t)[0]
        check("its process is noted", row["child_pid"] == child and row["child_start"], row)
        answer(s, t, "deny", message="Not that one")
        row = s.wait_task(t)
        check.equal("completed with its answer", (row["status"], row["result"]), ("completed", "all done"))
        seen = (work / "two/x").read_text()
        check("its commands do not see the key", "PATH=" in seen and KEY not in seen, seen)
        check.equal("allowed calls took effect, the denied one did not", [(work / x).exists() for x in ("one", "two/x", "three")],
                    [True, True, False])
        check.equal("a saved pattern was not asked for", asked(s, t), 2)
        got = events(s, t)
        check.equal("the rows of three calls", got.count("tool_start"), 3)
        check("rows of the stream", got[0] == "message_start" and "content_block_start" in got and got[-1] == "completed", got)
        check.equal("the final row", payloads(s, t, "completed"), [{"result": "all done"}])
        texts = [d["delta"]["text"] for d in payloads(s, t, "content_block_delta") if d["delta"]["type"] == "text_delta"]
        check.equal("the joined deltas are the answer", "".join(texts), "all done")
        results = [b for e in s.provider_log() if "messages" in (e["json"] or {}) for m in e["json"]["messages"] if m["role"] == "user"
                   for b in m["content"] if isinstance(b, dict) and b.get("type") == "tool_result"]
        denied = [b for b in results if b.get("is_error")]
        check("the model was told of the denial", denied and "Not that one" in json.dumps(denied[-1]), denied)
        usage = row["usage"]
        check.equal("usage of four calls", (usage["inputTokens"], usage["outputTokens"], usage["modelId"]), (400, 80, "claude-sonnet-4-6"))
        check.equal("and its price", usage["costMicros"], 400 * 3 + 80 * 15)
        ledger = s.rows("SELECT activity_type, runtime_id, provider_id, status FROM usage_ledger WHERE task_id = ?", t)
        check.equal("one row in the ledger", ledger, [{"activity_type": "task_run", "runtime_id": "claude-code",
                    "provider_id": "anthropic", "status": "completed"}])
        check("a session is kept", row["sessionId"])
        check.equal("one notification of the end", s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND type = 'task_completed'", t), 1)
        nothing_left(s, check, "after the run")
        again = start(s, f'{bash("rm -rf two; touch one")} [[say x]]', projectId=p)
        n = answer(s, again, "allow", alwaysAllow=True)
        check.equal("a chained command does not match the pattern", n["toolName"], "Bash")
        s.wait_task(again)
        check("always allow is saved", "Bash(command:rm *)" in json.dumps(s.ok("GET", "/api/permissions")))


def two_at_once(check):
    with stack() as s:
        begin(s)
        t = start(s, '[[tool Read {"file_path":"/etc/hostname"}]]+[[tool Read {"file_path":"/etc/hosts"}]] [[say both]]')
        open_ = s.until(lambda: [n for n in s.ok("GET", "/api/notifications/pending-approvals") if n["taskId"] == t], lambda x: x and len(x) == 2, 20)
        check.equal("two calls of one turn are asked for at once", len(open_), 2)
        for n in open_:
            s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
        check.equal("answered in any order", s.wait_task(t)["result"], "both")
        t = start(s, f'{bash("touch b")} {bash("touch b")} [[say twice]]')
        answer(s, t, "allow")
        check.equal("the same call is asked for once", (s.wait_task(t)["result"], asked(s, t)), ("twice", 1))


def question(check):
    with stack() as s:
        begin(s)
        t = start(s, f"{QUESTION} [[say painted]]")
        n = s.until(lambda: s.rows("SELECT id, type, title, tool_name, tool_input FROM notifications WHERE task_id = ?", t), bool, 20)[0]
        check.equal("a question is a message", (n["type"], n["title"], n["tool_name"]), ("agent_message", "Agent has a question", "AskUserQuestion"))
        questions = json.loads(n["tool_input"])["questions"]
        s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["id"], "behavior": "allow",
             "updatedInput": {"questions": questions, "answers": {"Which color?": "Blue"}}})
        check.equal("answered", s.wait_task(t)["result"], "painted")
        sent = json.dumps(s.provider_log()[-1]["json"]["messages"])
        check("the model reads the answer", '\\"Which color?\\"=\\"Blue\\"' in sent, sent[-600:])


def our_tools(check):
    with stack() as s:
        begin(s)
        s.ok("POST", "/api/permissions", {"pattern": "list_tasks"})
        t = start(s, '[[tool mcp__stagent__list_tasks {}]] [[tool mcp__stagent__create_task {"title":"made by claude"}]] '
                     '[[tool mcp__stagent__create_task {"title":""}]] [[say tools done]]')
        n = answer(s, t, "allow")
        check.equal("our tools are asked for by their long name", n["toolName"], "mcp__stagent__create_task")
        answer(s, t, "allow")
        check.equal("completed", s.wait_task(t)["result"], "tools done")
        check.equal("the call took effect once", s.one("SELECT count(*) FROM tasks WHERE title = 'made by claude'"), 1)
        offered = [x["name"] for x in s.provider_log()[0]["json"]["tools"]]
        check("they are offered, but not those that the client has itself", "mcp__stagent__list_projects" in offered and
              "mcp__stagent__AskUserQuestion" not in offered and "AskUserQuestion" in offered, offered)
        sent = json.dumps(s.provider_log()[-1]["json"]["messages"])
        check("wrong arguments are told", "Invalid arguments" in sent)
        audit = s.rows("SELECT actor, subject, detail FROM audit WHERE op = 'tool.call' ORDER BY id")
        check.equal("every call is audited", [(r["actor"], r["subject"], r["detail"]) for r in audit],
                    [(f"agent:{t}", "list_tasks", "ok"), (f"agent:{t}", "create_task", "ok"), (f"agent:{t}", "create_task", "error")])
        t = start(s, '[[tool mcp__stagent__execute_task {"taskId":"%s"}]] [[say x]]' % ("0" * 8 + "-0000-4000-8000-" + "0" * 12))
        answer(s, t, "allow")
        s.wait_task(t)
        check("an unknown task is told", "Task not found" in json.dumps(s.provider_log()[-1]["json"]["messages"]))


def outputs(check):
    with stack() as s:
        begin(s)
        s.ok("POST", "/api/permissions", {"pattern": "Bash"})
        t = s.ok("POST", "/api/tasks", {"title": "O", "description": "x", "assignedAgent": "claude-code"})["id"]
        text = f'{bash(f"echo hello > {s.data}/outputs/{t}/report.md")} [[say written]]'
        s.ok("PATCH", f"/api/tasks/{t}", {"description": text})
        s.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
        s.ok("POST", f"/api/tasks/{t}/execute")
        check.equal("completed", s.wait_task(t)["result"], "written")
        d = s.rows("SELECT original_name, direction, version FROM documents WHERE task_id = ?", t)
        check.equal("the output file is registered", d, [{"original_name": "report.md", "direction": "output", "version": 1}])


def faults(check):
    with stack() as s:
        begin(s)
        t = start(s, "[[flaky 2 529]] [[say at last]]")
        check.equal("overload is repeated", s.wait_task(t, timeout=60)["result"], "at last")
        t = start(s, "[[error 401]]")
        row = s.wait_task(t, timeout=60)
        check("a refused key ends it soon, in words", row["status"] == "failed" and "401" in row["result"], row["result"])
        check.equal("the last row of a failed run", events(s, t)[-1], "error")
        check.equal("one ledger row, failed", s.rows("SELECT status FROM usage_ledger WHERE task_id = ?", t), [{"status": "failed"}])
        check.equal("one notification", s.one("SELECT count(*) FROM notifications WHERE task_id = ?", t), 1)
        t = start(s, "[[error 400]]")
        row = s.wait_task(t, timeout=60)
        check("a refused request fails in words", row["status"] == "failed" and "400" in row["result"], row["result"])
        t = start(s, "[[cut]] [[say one two three]]")
        row = s.wait_task(t, timeout=60)
        check("a cut stream has an end", row["status"] in ("completed", "failed"), row["status"])
        t = start(s, "[[hang]]")
        s.until(lambda: [e for e in s.provider_log() if "[[hang]]" in json.dumps(e["json"])], bool, 20)
        began = time.time()
        s.ok("POST", f"/api/tasks/{t}/cancel")
        s.until(lambda: s.one("SELECT count(*) FROM engine_runs WHERE task_id = ?", t), lambda n: n == 0, 8)
        check("a hanging call is cancelled at once", time.time() - began < 6, time.time() - began)
        check.equal("as cancelled", (s.ok("GET", f"/api/tasks/{t}")["status"], events(s, t)[-1]), ("cancelled", "cancelled"))
        nothing_left(s, check, "after faults")


def limits(check):
    with stack() as s:
        begin(s)
        d = s.root / "home/.claude/skills/two-turns"
        d.mkdir(parents=True)
        (d / "profile.yaml").write_text("id: two-turns\nname: Two\nversion: 1.0.0\ndomain: work\ntags: [x]\nallowedTools: [Bash, Read]\n"
                                        "canUseToolPolicy:\n  autoApprove: [Bash]\n  autoDeny: [Read]\nmaxTurns: 2\n")
        (d / "SKILL.md").write_text("---\nname: two\ndescription: x\n---\n\nBe brief: two-turns.\n")
        t = start(s, " ".join(bash(f"echo {i} > f") for i in range(4)) + " [[say x]]", agentProfile="two-turns")
        row = s.wait_task(t)
        check.equal("the turn limit", (row["status"], row["result"]), ("failed", "Task stopped: max_turns"))
        first = s.provider_log()[0]["json"]
        check.equal("the profile's tools, a question, and ours", sorted(x["name"] for x in first["tools"] if not x["name"].startswith("mcp__")),
                    ["AskUserQuestion", "Bash", "Read"])
        check("the profile's text is in the system text", "Be brief: two-turns." in json.dumps(first["system"]))
        t = start(s, '[[tool Read {"file_path":"/etc/hostname"}]] [[say x]]', agentProfile="two-turns")
        row = s.wait_task(t)
        check("the profile's policy denies", row["result"] == "x" and "Profile policy denies Read" in json.dumps(s.provider_log()[-1]["json"]), row)
        gone = s.ok("POST", "/api/projects", {"name": "G", "workingDirectory": str(s.root / "nowhere")})["id"]
        row = s.wait_task(start(s, "[[say x]]", projectId=gone))
        check.equal("a folder that is not there", (row["status"], row["result"]), ("failed", f"Working directory not found: {s.root}/nowhere"))


def resume(check):
    with stack() as s:
        begin(s)
        t = start(s, f'{bash("touch r1")} {bash("touch r2")} [[say resumed well]]')
        answer(s, t, "allow")
        n = s.until(lambda: s.wait_request(t), bool, 20)
        s.ok("POST", f"/api/tasks/{t}/cancel")
        row = s.wait_task(t)
        s.until(lambda: s.one("SELECT count(*) FROM engine_runs WHERE task_id = ?", t), lambda n: n == 0, 8)
        check.equal("cancelled while it asks", row["status"], "cancelled")
        got = json.loads(s.one("SELECT response FROM notifications WHERE id = ?", n["notificationId"]))
        check.equal("its request is closed", got, {"behavior": "deny", "message": "Task cancelled"})
        nothing_left(s, check, "cancelled")
        session = row["sessionId"]
        s.ok("POST", f"/api/tasks/{t}/resume")
        n2 = s.wait_request(t, 30)
        if n2:
            s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n2["notificationId"], "behavior": "allow"})
        row = s.wait_task(t)
        check.equal("it goes on", (row["status"], row["result"], row["resumeCount"], row["sessionId"]),
                    ("completed", "resumed well", 1, session))
        check.equal("and says so", payloads(s, t, "session_resumed"), [{"sessionId": session, "resumeCount": 1, "profile": "general"}])
        t = start(s, "[[error 400]]")
        s.wait_task(t)
        s.write([("UPDATE tasks SET session_id = ? WHERE id = ?", ("12345678-1234-4234-8234-123456789012", t))])
        s.ok("POST", f"/api/tasks/{t}/resume")
        row = s.wait_task(t)
        check.equal("a session that is gone", (row["status"], row["result"], row["sessionId"]),
                    ("failed", "Session expired \u2014 re-queue for fresh start", None))
        check("is told so", s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND title = 'Session expired: T'", t) == 1)


def end_program(s):
    for p in clients(s):
        if "stream-json" in title(p):
            s.kill(p)


def kills(check):
    with stack() as s:
        begin(s)
        s.ok("POST", "/api/permissions", {"pattern": "Bash(command:echo *)"})
        for name, how in (("run process", end_run), ("runner", end_runner)):
            t = start(s, f'{bash(f"touch k1")} [[tool mcp__stagent__create_task {{"title":"by {name}"}}]] [[say survived]]', name)
            n = s.wait_request(t, 30)
            how(s)
            back(s, t)
            s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
            answer(s, t, "allow")
            row = s.wait_task(t, timeout=60)
            check.equal(f"{name} killed while it asks: completed", (row["status"], row["result"]), ("completed", "survived"))
            check.equal(f"{name} killed while it asks: nothing is asked twice", asked(s, t), 2)
            check.equal(f"{name} killed while it asks: each call took effect once", s.one("SELECT count(*) FROM tasks WHERE title = ?", f"by {name}"), 1)
            check.equal(f"{name} killed while it asks: no resume is counted", row["resumeCount"], 0)
            nothing_left(s, check, f"{name} killed while it asks")
            t = start(s, f'{bash("sleep 60; touch k3")} [[say over]]', name)
            answer(s, t, "allow")
            s.until(lambda: [p for p in clients(s) if title(p) == "sleep 60"], bool, 20)
            how(s)
            back(s, t)
            left = s.until(lambda: len([p for p in clients(s) if title(p) == "sleep 60"]), lambda n: n <= 1, 10)
            check(f"{name} killed in a turn: the command before is gone", left <= 1, left)
            s.ok("POST", f"/api/tasks/{t}/cancel")
            check.equal(f"{name} killed in a turn: it can be cancelled", s.wait_task(t)["status"], "cancelled")
            check.equal(f"{name} killed in a turn: nothing is asked twice", asked(s, t), 1)
            nothing_left(s, check, f"{name} killed in a turn")
        t = start(s, "[[sleep 3000]] [[say a new session]]")
        s.until(lambda: [e for e in s.provider_log() if "a new session" in json.dumps(e["json"])], bool, 20)
        for p in [*s.pids()["runs"], *clients(s)]:
            s.kill(p)
        for f in (s.data / "runtimes/claude-code").rglob("*.jsonl"):
            f.unlink()
        check.equal("the session is gone before anything was done: another one", s.wait_task(t, timeout=60)["result"], "a new session")
        for name, text in (("while it asks", bash("touch k2")), ("in a turn", "[[hang]]")):
            t = start(s, f"{text} [[say x]]", "program " + name)
            if "asks" in name:
                s.wait_request(t, 30)
            else:
                s.until(lambda: [e for e in s.provider_log() if "[[hang]]" in json.dumps(e["json"])], bool, 30)
                s.until(lambda: [r for r in s.rows("SELECT 1 FROM tasks WHERE id = ? AND session_id IS NOT NULL", t)], bool, 5)
            end_program(s)
            row = s.wait_task(t)
            check.equal(f"program killed {name}: failed in words", (row["status"], row["result"]),
                        ("failed", "Agent stream ended without producing a result (signal 9 (Killed))"))
            check.equal(f"program killed {name}: no request stays open", s.wait_request(t, 0.3), None)
            nothing_left(s, check, f"program killed {name}")


def restart_and_park(check):
    with stack(**{"runs.park_after": 1}) as s:
        begin(s)
        t = start(s, f'{bash("touch p1")} [[say after days]]')
        n = s.wait_request(t, 30)
        gone = s.until(lambda: (s.pids()["runs"], clients(s)), lambda p: p == ([], []), 20)
        check.equal("a run that waits leaves memory, its program too", gone, ([], []))
        s.stop(only=("supervisor",))
        s.start_runner()
        time.sleep(1)
        check.equal("and stays away until it is answered", clients(s), [])
        s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
        row = s.wait_task(t)
        check.equal("the answer brings it back", (row["status"], row["result"], asked(s, t)), ("completed", "after days", 1))
    with stack() as s:
        begin(s)
        t = start(s, f'{bash("touch q1")} [[say after a restart]]')
        n = s.wait_request(t, 30)
        took = s.stop(only=("supervisor",))
        check("the runner stops within 6 s", not s.killed and took < 6.5, (s.killed, took))
        nothing_left(s, check, "runner stopped")
        s.start_runner()
        back(s, t)
        s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
        row = s.wait_task(t)
        check.equal("and the next one goes on", (row["status"], row["result"], asked(s, t)), ("completed", "after a restart", 1))


BROKEN = {
    "exits at once": ("echo boom >&2; exit 3", "exit status 3): boom"),
    "says rubbish": ("echo no json; echo '[1]'; exit 0", "ended without producing a result (exit status 0)"),
    "floods": ("exec yes rubbish", "cannot be understood"),
    "sends an endless line": ("head -c 40000000 /dev/zero | tr '\\0' x; echo; exit 1", "exit status 1"),
    "hangs at the start": ("exec sleep 1000", "does not answer"),
    "cannot run": (None, "Exec format error"),
}


def replace_program(s, script):
    """The program is SCRIPT from now on; None: a file that no kernel runs."""
    f = s.root / "claude"
    f.unlink(missing_ok=True)
    f.write_bytes(b"\x7fELFrubbish" if script is None else
                  f'#!/bin/sh\n[ "$1" = --version ] && echo "1.2.3 (Claude Code)" && exit 0\n{script}\n'.encode())
    f.chmod(0o755)
    s.programs["claude"] = f
    s.stop(only=("supervisor",))
    s.start_runner()
    return str(f)


def check_broken(s, check, name, file, task, words, timeout=30, version="1.2.3"):
    row = s.wait_task(task, timeout=timeout)
    text = row["result"] or ""
    check(f"a program that {name}: fails in words", row["status"] == "failed" and words in text, row)
    check(f"a program that {name}: named, with its version and the mend",
          "npm install -g @anthropic-ai/claude-code" in text and file in text and version in text, text)
    nothing_left(s, check, f"a program that {name}")


def broken(check):
    with stack() as s:
        begin(s)
        for name, (script, words) in BROKEN.items():
            f = replace_program(s, script)
            check_broken(s, check, name, f, start(s, "[[say x]]"), words, 90, version="1.2.3" if script else "no version")
    with stack(program="/nonexistent/claude") as s:
        begin(s)
        t = start(s, "[[say built in]]")
        row = s.wait_task(t)
        check.equal("without the program the built-in loop stands in", (row["result"], events(s, t)[0]), ("built in", "runtime_fallback"))
    with stack(program="/nonexistent/claude", **{"runtime.fallback": "off"}) as s:
        begin(s)
        row = s.wait_task(start(s, "[[say x]]"))
        check.equal("unless that is switched off", (row["status"], row["result"]),
                    ("failed", "Claude Code CLI not found. Install it, or choose another runtime."))
    with stack() as s:
        begin(s, "oauth")
        row = s.wait_task(start(s, "[[say x]]"))
        check("not logged in", row["status"] == "failed" and "Not logged in" in row["result"], row["result"])


def one_shot(check):
    with stack() as s:
        begin(s, learning="claude-code")
        got = s.ok("POST", "/api/tasks/assist", {"title": 'Plan [[say {"improvedDescription":"better","breakdown":[],"complexity":"simple"} ]]'})
        check.equal("an assist is answered", got.get("improvedDescription"), "better")
        call = s.provider_log()[-1]["json"]
        check.equal("by one call without tools", (call.get("tools") or [], len(call["messages"])), ([], 1))
        ledger = s.rows("SELECT activity_type, runtime_id, status, input_tokens, output_tokens FROM usage_ledger")
        check.equal("it is in the ledger", ledger, [{"activity_type": "task_assist", "runtime_id": "claude-code", "status": "completed",
                    "input_tokens": 100, "output_tokens": 20}])
        status, got = s.api("POST", "/api/tasks/assist", {"title": "[[error 400]]"})
        check("a failed one says why", status == 500 and "400" in got["error"], got)
        s.wait_task(start(s, '[[say [{"title":"Lint first","description":"Run the linter.","category":"best_practice"}] ]]'))
        row = s.until(lambda: s.rows("SELECT content, change_type FROM learned_context"), bool, 20)
        check("patterns are extracted from a run", row and row[0]["change_type"] == "proposal", row)
        nothing_left(s, check, "after questions")


SERVER = """import json, os, sys
open(sys.argv[1] + "/environment", "w").write(os.environ.get("BROWSER_TOKEN", ""))
names = ("browser_take_screenshot", "browser_snapshot")
for line in sys.stdin:
    m = json.loads(line)
    if m.get("method") == "initialize":
        result = {"protocolVersion": m["params"]["protocolVersion"], "capabilities": {"tools": {}}, "serverInfo": {"name": "p", "version": "1"}}
    elif m.get("method") == "tools/list":
        open(sys.argv[1] + "/listed", "w").close()
        result = {"tools": [{"name": n, "inputSchema": {"type": "object", "properties": {"file": {"type": "string"}}}} for n in names]}
    elif m.get("method") == "tools/call":
        data = open(sys.argv[1] + "/" + m["params"]["arguments"]["file"]).read()
        result = {"content": [{"type": "text", "text": "taken"}, {"type": "image", "data": data, "mimeType": "image/png"}]}
    else:
        continue
    print(json.dumps({"jsonrpc": "2.0", "id": m["id"], "result": result}), flush=True)
"""
SECRET = "token-that-nobody-sees"


def png(w, h):
    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    rows = b"".join(b"\0" + bytes((x ^ y) & 255 for x in range(w)) for y in range(h))
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", w, h, 8, 0, 0, 0, 0)) +
            chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b""))


def shoot(name, tool="browser_take_screenshot"):
    return '[[tool mcp__playwright__%s {"file":"%s"}]]' % (tool, name)


def go_on_once_listed(s, task):
    """The program does not wait for a slow server of tools: the first call of TASK is answered once it has listed its tools."""
    assert s.until((s.root / "listed").exists, bool, 30)
    time.sleep(0.5)
    answer(s, task, "allow", 30)
    (s.root / "listed").unlink()


def titles(secret):
    """The processes that show SECRET to everybody."""
    return [p for p in os.listdir("/proc") if p.isdigit() and secret in title(p)]


def screenshots(check):
    with stack() as s:
        begin(s)
        (s.root / "server.py").write_text(SERVER)
        image = png(1200, 700)
        for name, data in (("good", image), ("other", png(10, 10)), ("text", b"no image"), ("large", png(4000, 3000))):
            (s.root / name).write_bytes(base64.b64encode(data))
        server = {"command": sys.executable, "args": [str(s.root / "server.py"), str(s.root)], "env": {"BROWSER_TOKEN": SECRET}}
        d = s.root / "home/.claude/skills/looks"
        d.mkdir(parents=True)
        (d / "profile.yaml").write_text("id: looks\nname: Looks\nversion: 1.0.0\ndomain: work\ntags: [x]\nmcpServers: " +
            json.dumps({"playwright": server}) + "\ncanUseToolPolicy:\n  autoApprove: [mcp__playwright__browser_take_screenshot, "
            "mcp__playwright__browser_snapshot]\n")
        (d / "SKILL.md").write_text("---\nname: looks\ndescription: x\n---\n\nLook.\n")
        p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(s.root)})["id"]
        t = start(s, f'{bash("touch begun")} {shoot("good")} {shoot("other", "browser_snapshot")} {shoot("text")} {bash("touch ready")} '
                  '[[say seen]]', agentProfile="looks", projectId=p)
        go_on_once_listed(s, t)
        s.wait_request(t, 30)
        check.equal("the server gets its environment", (s.root / "environment").read_text(), SECRET)
        check.equal("which no process shows", titles(SECRET), [])
        check("while it runs", [c for c in clients(s) if "server.py" in title(c)], [title(c) for c in clients(s)])
        rows = s.rows("SELECT * FROM documents")
        check.equal("one screenshot is stored while the run goes on", len(rows), 1)
        row, shots = rows[0], s.data / "screenshots"
        i = row["id"]
        check.equal("its row", {k: row[k] for k in row if k not in ("id", "created_at", "updated_at")},
            {"task_id": t, "project_id": p, "conversation_id": None, "message_id": None, "filename": f"{i}.png", "original_name":
             f"screenshot-{i[:8]}.png", "mime_type": "image/png", "size": len(image), "storage_path": str(shots / f"{i}.png"), "version": 1,
             "direction": "output", "category": "screenshot", "status": "ready", "source": "screenshot",
             "extracted_text": "Image: 1200x700\nFormat: png", "processed_path": str(shots / f"{i}_thumb.png"), "processing_error": None})
        check.equal("the image as it came", (shots / f"{i}.png").read_bytes(), image)
        thumb = (shots / f"{i}_thumb.png").read_bytes()
        check.equal("a thumbnail of 800 pixels", (thumb[:8], struct.unpack(">II", thumb[16:24])), (image[:8], (800, 467)))
        check.equal("nothing else is left of the others", sorted(f.name for f in shots.iterdir()), sorted([f"{i}.png", f"{i}_thumb.png"]))
        check.equal("its log row", payloads(s, t, "screenshot"), [{"documentId": i, "thumbnailUrl":
            f"/api/documents/{i}/file?inline=1&thumb=1", "toolName": "mcp__playwright__browser_take_screenshot"}])
        answer(s, t, "allow")
        row = s.wait_task(t)
        check.equal("the run does not mind", (row["status"], row["result"]), ("completed", "seen"))
        nothing_left(s, check, "after screenshots")
        left = s.until(lambda: list((s.data / "runs").glob("*.json")), lambda x: not x, 5)
        check.equal("the list of tool servers is gone", left, [])
        t = start(s, f'{bash("touch begun")} {shoot("large")} [[say seen]]', agentProfile="looks")
        go_on_once_listed(s, t)
        check.equal("a large one goes through the program", s.wait_task(t)["result"], "seen")
        row = s.rows("SELECT mime_type, extracted_text, storage_path, processed_path FROM documents WHERE task_id = ?", t)[0]
        sides = [struct.unpack(">8x8xII", open(row[k], "rb").read(24)) for k in ("storage_path", "processed_path")]
        check.equal("which has made it smaller; it is kept as a PNG", (row["mime_type"], row["extracted_text"], sides),
                    ("image/png", "Image: 2000x1500\nFormat: png", [(2000, 1500), (800, 600)]))


class Refuses(BaseHTTPRequestHandler):
    def do_POST(self):
        text = b'{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"}}'
        self.rfile.read(int(self.headers.get("content-length", 0)))
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(text)))
        self.end_headers()
        self.wfile.write(text)

    def log_message(self, *_):
        pass


def probe(s):
    """The answer of the connection test, and what is stored of it."""
    status, got = s.api("POST", "/api/settings/test", {"runtime": "claude-code"}, timeout=45)
    assert status == 200 and got.pop("runtime") == "claude-code" and got.pop("capabilities"), got
    return got, s.one("SELECT value FROM settings WHERE key = 'auth.apiKeySource'")


def connection(check):
    with stack() as s:
        got, stored = probe(s)
        check.equal("not logged in is not connected", got, {"connected": False, "error": "Not logged in \u00b7 Please run /login"})
        check.equal("and nothing is stored", stored, None)
        s.ok("POST", "/api/settings", {"method": "api_key"})
        check.equal("the key of the environment", probe(s), ({"connected": True, "apiKeySource": "env"}, "env"))
        begin(s)
        check.equal("the stored key", probe(s), ({"connected": True, "apiKeySource": "db"}, "db"))
        sent = s.provider_log()[-1]["json"]
        check("one small question without tools", "ping" in json.dumps(sent["messages"]) and not sent.get("tools"), sent)
        nothing_left(s, check, "after the test")
    with HTTPServer(("127.0.0.1", 0), Refuses) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with stack(env={"ANTHROPIC_BASE_URL": f"http://127.0.0.1:{server.server_port}"}) as s:
            begin(s)
            got, stored = probe(s)
            check("a refused key is not connected", not got["connected"] and "401" in got["error"] and "apiKeySource" not in got, got)
            check.equal("what is stored stays", stored, "db")
            nothing_left(s, check, "a refused key")
        server.shutdown()
    with stack(program="/nonexistent/claude") as s:
        begin(s)
        check.equal("without the program what stands in is tested", probe(s)[0], {"connected": True, "apiKeySource": "db"})
        s.ok("POST", "/api/settings", {"method": "oauth"})
        s.extra_env["ANTHROPIC_API_KEY"] = ""
        s.stop(only=("supervisor",))
        s.start_runner()
        got = probe(s)[0]
        check("which needs a key", not got["connected"] and got["error"].startswith("Claude Code CLI not found") and "No Anthropic API key" in
              got["error"], got)
    with stack(program="/nonexistent/claude", **{"runtime.fallback": "off"}) as s:
        begin(s)
        check.equal("or nothing is", probe(s)[0], {"connected": False,
                    "error": "Claude Code CLI not found. Install it, or choose another runtime."})
    with stack(program="/bin/false") as s:
        begin(s)
        got = probe(s)[0]
        check("a broken program is named, with the mend", not got["connected"] and "exit status 1" in got["error"] and "/bin/false" in
              got["error"] and "npm install -g @anthropic-ai/claude-code" in got["error"], got)


def many(check):
    with stack(**{"runs.max": 20, "runs.max_programs": 20}) as s:
        begin(s)
        tasks = [start(s, f"[[drip 100]] [[words 60]]", f"many {i}") for i in range(20)]
        s.until(lambda: len([c for c in clients(s) if "stream-json" in title(c)]), lambda n: n == 20, 60)
        own = [memory(p, "Private_Dirty") + memory(p, "Private_Clean") for p in s.pids()["runs"]]
        got = [s.wait_task(t, timeout=120)["status"] for t in tasks]
        check.equal("twenty runs at once finish", got.count("completed"), 20)
        print(f"     private memory of our own process: {max(own, default=0)} KiB at most, of {len(own)} runs")
        check("our own process takes less than 4 MB for each, where it is not instrumented", s.sanitized or max(own) < 4096, own)
        nothing_left(s, check, "after twenty runs")


PARTS = [permissions, two_at_once, question, our_tools, outputs, screenshots, faults, limits, resume, kills, restart_and_park, one_shot, broken, connection, many]


def test(check):
    global CLAUDE
    CLAUDE = programs.installed()["claude"]
    for part in PARTS:
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part(check)


main(test)
