"""Tasks on openai-codex-app-server with the real program (from npm, see programs.py), over a whole Stagent and the fake provider
in --strict: permissions, questions, our tools, rows and usage, limits, faults of the provider, resuming, kill -9 of everything,
broken programs, assists, connection tests. The parts can be named: tests/codex.py [PART...]."""
import json, os, signal, sys, time

import programs
from agents import answer, asked, back, clients, end_run, end_runner, events, nothing_left, payloads, respond, rows
from stack import Stack, main, memory, title

CODEX = ""
KEY = "sk-fake-0123456789"
AGENT = "openai-codex-app-server"
ASK = {"questions": [{"question": "Which color?", "header": "Color", "options": [{"label": "Red", "description": "r"},
                     {"label": "Blue", "description": "b"}], "multiSelect": False}]}


def stack(**options):
    file = options.pop("program", CODEX)
    return Stack(env={"STAGENT_CODEX_BIN": file, **options.pop("env", {})}, options={"runs.max": 24, **options})


def start(s, text, name="T", **more):
    return s.start_task(name, text, assignedAgent=AGENT, **more)


def command(text, **more):
    """Codex does not wait long for a command unless it is told to; a busy machine may need it."""
    return "[[tool exec_command %s]]" % json.dumps({"cmd": text, "yield_time_ms": 20000, **more})


def ours(tool, **arguments):
    return f"[[tool {tool} {json.dumps(arguments)}]]"


def question_of(s, task):
    return s.until(lambda: s.rows("SELECT id, type, title, body, tool_name, tool_input FROM notifications WHERE task_id = ? "
                                  "AND type = 'agent_message' AND response IS NULL", task), bool, 20)[0]


def servers(s):
    return [p for p in clients(s) if "app-server" in title(p)]


def ended(s, task):
    s.until(lambda: s.one("SELECT count(*) FROM engine_runs WHERE task_id = ?", task), lambda n: n == 0, 10)


def outputs_sent(s):
    """What the model read of its calls, in the newest request."""
    return [i["output"] for i in s.provider_log()[-1]["json"]["input"] if i["type"] == "function_call_output"]


def permissions(check):
    with stack() as s:
        s.ok("POST", "/api/permissions", {"pattern": "Bash(command:touch *)"})
        work = s.root / "work"
        work.mkdir()
        p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(work)})["id"]
        t = start(s, f'{command("touch one")} {command("mkdir two && touch two/x")} {command("mkdir three")} [[say all done]]', projectId=p)
        n = answer(s, t, "allow")
        check.equal("the request names tool and input", (n["title"], n["toolName"], n["toolInput"]), (
            "Permission required: Command execution", "Bash",
            {"command": "mkdir two && touch two/x", "cwd": str(work), "reason": None, "approvalId": None}))
        noted = s.rows("SELECT child_pid, child_start FROM engine_runs WHERE task_id = ?", t)[0]
        check("its process is noted", noted["child_pid"] in servers(s) and noted["child_start"], noted)
        allowed = {"PATH", "HOME", "USER", "LOGNAME", "SHELL", "LANG", "TZ", "TMPDIR", "CODEX_HOME", "AGENT_RUN_ID"}
        for child in servers(s):  # the npm wrapper, and what it has started
            env = dict(v.split("=", 1) for v in open(f"/proc/{child}/environ").read().split("\0") if "=" in v)
            check.equal("the program gets its home", env["CODEX_HOME"], str(s.data / "runtimes/codex"))
            check("and no key, which commands could read there", KEY not in env.values())
            more = {v for v in env if v.startswith("CODEX_MANAGED_")} if child != noted["child_pid"] else set()
            check.equal("and nothing that it does not need", sorted(set(env) - allowed - more), [])
            check("no key is among its arguments", KEY not in title(child) and "app-server" in title(child), title(child))
            check.equal("it works in the project's folder", os.readlink(f"/proc/{child}/cwd"), str(work))
        check.equal("the private home is private", (s.data / "runtimes/codex").stat().st_mode & 0o777, 0o700)
        answer(s, t, "deny", message="Not that one")
        row = s.wait_task(t)
        check.equal("completed with its answer", (row["status"], row["result"]), ("completed", "all done"))
        check.equal("allowed calls took effect, the denied one did not", [(work / x).exists() for x in ("one", "two/x", "three")],
                    [True, True, False])
        check.equal("a saved pattern was not asked for", asked(s, t), 2)
        sent = outputs_sent(s)
        check("the model was told of the denial", len(sent) == 3 and "rejected" in sent[2], sent)
        nothing_left(s, check, "after the run")
        t = start(s, f'{command("rm -rf two; touch one")} [[say x]]', projectId=p)
        n = answer(s, t, "allow", alwaysAllow=True)
        s.wait_task(t)
        check("a chained command does not match the pattern; always allow is saved",
              n["toolName"] == "Bash" and "Bash(command:rm *)" in json.dumps(s.ok("GET", "/api/permissions")))
        t = start(s, f'{command("env > env.txt")} [[say x]]', projectId=p)
        answer(s, t, "allow")
        s.wait_task(t)
        check("commands do not get the key", "PATH=" in (work / "env.txt").read_text() and KEY not in (work / "env.txt").read_text())
        t = start(s, f'{command("mkdir changed1")} [[say x]]', projectId=p)
        n = s.wait_request(t)
        respond(s, t, n["notificationId"], "allow", updatedInput={**n["toolInput"], "command": "mkdir changed2"})
        s.wait_task(t)
        check.equal("a command that the operator has changed does not run as it was", [(work / f"changed{i}").exists() for i in (1, 2)],
                    [False, False])
        check("no file has the key", not [f for f in (s.data / "runtimes/codex").rglob("*") if f.is_file() and KEY.encode() in f.read_bytes()])


def untrusted(check):
    """What lies in the project's folder cannot allow anything."""
    with stack() as s:
        top, link = s.root / "work", s.root / "link"
        (top / ".git").mkdir(parents=True)
        link.symlink_to(top / "sub")
        for d in (top, top / "sub"):
            (d / ".codex/rules").mkdir(parents=True)
            (d / ".codex/rules/default.rules").write_text('prefix_rule(pattern=["touch"], decision="allow")\n')
            (d / ".codex/config.toml").write_text(f'model = "other"\napproval_policy = "never"\n[mcp_servers.x]\ncommand = "touch"\nargs = ["{s.root}/ran"]\n')
        for where in (top, top / "sub", link):
            p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(where)})["id"]
            t = start(s, f'{command("touch x")} [[say x]]', projectId=p)
            n = s.wait_request(t)
            check(f"rules in {where.name} allow nothing", n and n["toolInput"]["command"] == "touch x", (n, events(s, t)))
            if n:
                respond(s, t, n["notificationId"], "deny")
            row = s.wait_task(t)
            check(f"a configuration in {where.name} starts nothing", not (s.root / "ran").exists() and row["usage"]["modelId"] != "other", row)


def files(check):
    with stack() as s:
        work = s.root / "work"
        work.mkdir()
        p = s.ok("POST", "/api/projects", {"name": "P", "workingDirectory": str(work)})["id"]
        patch = "apply_patch <<'EOF'\n*** Begin Patch\n*** Add File: %s.txt\n+hello\n*** End Patch\nEOF"
        t = start(s, f'{command(patch % "good")} {command(patch % "bad")} [[say patched]]', projectId=p)
        n = answer(s, t, "allow")
        check.equal("a file change is asked for with its paths", (n["title"], n["toolName"], n["toolInput"]), (
            "Permission required: File change", "Write",
            {"reason": None, "grantRoot": None, "file_path": f"{work}/good.txt", "paths": [f"{work}/good.txt"]}))
        answer(s, t, "deny")
        check.equal("completed", s.wait_task(t)["result"], "patched")
        check.equal("one was made", [(work / f"{x}.txt").exists() for x in ("good", "bad")], [True, False])
        check.equal("a row for each", [x["tool"] for x in payloads(s, t, "tool_start")], ["Write", "Write"])
        t = s.ok("POST", "/api/tasks", {"title": "O", "description": "x", "assignedAgent": AGENT})["id"]
        s.ok("PATCH", f"/api/tasks/{t}", {"description": f'{command(f"echo hello > {s.data}/outputs/{t}/report.md")} [[say written]]'})
        s.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
        s.ok("POST", f"/api/tasks/{t}/execute")
        answer(s, t, "allow")
        check.equal("it writes into the output folder", s.wait_task(t)["result"], "written")
        d = s.rows("SELECT original_name, direction, version FROM documents WHERE task_id = ?", t)
        check.equal("the output file is registered", d, [{"original_name": "report.md", "direction": "output", "version": 1}])


def tools(check):
    with stack() as s:
        s.ok("POST", "/api/permissions", {"pattern": "list_tasks"})
        text = " ".join([ours("list_tasks", status="queued"), ours("create_task", title="made by codex"), ours("create_task", title=""),
                         ours("list_projects"), "[[say tools done]]"])
        t = start(s, text)
        n = answer(s, t, "allow")
        check.equal("our tools are asked for", (n["title"], n["toolName"], n["toolInput"]),
                    ("Permission required: create_task", "create_task", {"title": "made by codex"}))
        answer(s, t, "allow")
        answer(s, t, "deny", message="No lists")
        row = s.wait_task(t)
        check.equal("completed", (row["status"], row["result"]), ("completed", "tools done"))
        check.equal("the call took effect once", s.one("SELECT count(*) FROM tasks WHERE title = 'made by codex'"), 1)
        sent = outputs_sent(s)
        check("the model reads results, mistakes and denials", len(sent) == 4 and sent[0] == "[]" and "made by codex" in sent[1] and
              "Invalid arguments" in sent[2] and sent[3] == '{"error":"No lists"}', sent)
        audit = s.rows("SELECT actor, subject, detail FROM audit WHERE op = 'tool.call' ORDER BY id")
        check.equal("every call is audited", [(r["actor"], r["subject"], r["detail"]) for r in audit],
                    [(f"agent:{t}", "list_tasks", "ok"), (f"agent:{t}", "create_task", "ok"), (f"agent:{t}", "create_task", "error")])
        check.equal("nothing of a call is kept", s.one("SELECT count(*) FROM engine_calls"), 0)
        got = rows(s, t)
        order = [r["event"] for r in got if not r["event"].endswith("_delta")]
        check.equal("the rows", order, ["thread_started", "turn_started", *["tool_start"] * 4, "completed"])
        check.equal("all of the runtime", {r["agent_type"] for r in got}, {AGENT})
        thread, turn = payloads(s, t, "turn_started")[0].values()
        check.equal("the first row", payloads(s, t, "thread_started"), [{"threadId": thread, "profileId": "general", "runtime": AGENT}])
        check.equal("the last row", payloads(s, t, "completed"),
                    [{"threadId": thread, "turnId": turn, "result": "tools done", "profileId": "general"}])
        check.equal("the joined deltas are the answer", "".join(d["delta"] for d in payloads(s, t, "agent_message_delta")), "tools done")
        check.equal("the thread is the session", row["sessionId"], thread)
        usage = row["usage"]
        check.equal("usage of five calls", (usage["inputTokens"], usage["outputTokens"]), (500, 100))
        check("and a price", usage["costMicros"] > 0 and usage["modelId"], usage)
        ledger = s.rows("SELECT activity_type, runtime_id, provider_id, status FROM usage_ledger WHERE task_id = ?", t)
        check.equal("one row in the ledger", ledger, [{"activity_type": "task_run", "runtime_id": AGENT, "provider_id": "openai",
                                                       "status": "completed"}])
        check.equal("one notification of the end", asked(s, t, "task_completed"), 1)
        t = start(s, "[[drip 20]] [[words 100]]")
        row = s.wait_task(t)
        deltas = payloads(s, t, "agent_message_delta")
        check("two seconds of words are few rows", 3 <= len(deltas) <= 8 and "".join(d["delta"] for d in deltas) == row["result"], len(deltas))
        t = start(s, "[[say  ]]")
        check.equal("an empty answer", s.wait_task(t)["result"], "Completed without textual output.")


def nobody(check):
    """Requests that no person decides about, and a task that goes away."""
    with stack() as s:
        t = start(s, f'{command("touch n1")} [[say dismissed]]')
        n = s.wait_request(t)
        s.ok("DELETE", f"/api/notifications/{n['notificationId']}")
        check.equal("a request that is dismissed is denied", (s.wait_task(t)["result"], (s.root / "cwd/n1").exists()), ("dismissed", False))
        s.ok("POST", "/api/settings/runtime", {"permissionTimeoutSeconds": 10})
        began, t = time.time(), start(s, f'{command("touch n2")} [[say too late]]')
        check.equal("one that waits too long, too", (s.wait_task(t)["result"], (s.root / "cwd/n2").exists()), ("too late", False))
        check("not before its time", 9 < time.time() - began < 25, time.time() - began)
        got = json.loads(s.one("SELECT response FROM notifications WHERE task_id = ? AND type = 'permission_required'", t))
        check.equal("and is closed", got, {"behavior": "deny", "message": "Permission request timed out"})
        text = '\u00e9\u2603\U0001f600 "q" \\ b'
        t = start(s, f"\u00e4 \"quoted\" [[say {text}]]")
        check.equal("texts of all kinds pass", s.wait_task(t)["result"], text)
        t = start(s, "[[hang]]")
        s.until(lambda: "turn_started" in events(s, t), bool, 20)
        s.ok("DELETE", f"/api/tasks/{t}")
        nothing_left(s, check, "a task that was deleted")


def two_at_once(check):
    with stack() as s:
        t = start(s, f'{command("touch b1")}+{command("touch b2")} [[say both]]')
        open_ = s.until(lambda: [n for n in s.ok("GET", "/api/notifications/pending-approvals") if n["taskId"] == t],
                        lambda x: x and len(x) == 2, 20)
        check.equal("two calls of one turn are asked for at once", len(open_), 2)
        for n in reversed(open_):
            respond(s, t, n["notificationId"], "allow")
            time.sleep(0.5)
        check.equal("answered in any order", s.wait_task(t)["result"], "both")
        t = start(s, f'{command("touch b3")} {command("touch b3")} [[say twice]]')
        answer(s, t, "allow")
        check.equal("the same call is asked for once", (s.wait_task(t)["result"], asked(s, t)), ("twice", 1))
        t = start(s, f'{command("touch b4")}+{command("touch b4")} [[say one answer]]')
        answer(s, t, "deny")
        check.equal("nor is it asked for again while it is open", (s.wait_task(t)["result"], asked(s, t)), ("one answer", 1))


def questions(check):
    with stack() as s:
        t = start(s, f'{ours("AskUserQuestion", **ASK)} [[say painted]]')
        n = question_of(s, t)
        check.equal("a question is a message", (n["title"], n["body"], n["tool_name"], json.loads(n["tool_input"])),
                    ("Agent has a question", "Which color?", "AskUserQuestion", ASK))
        respond(s, t, n["id"], "allow", updatedInput={**ASK, "answers": {"Which color?": "Blue"}})
        check.equal("answered", s.wait_task(t)["result"], "painted")
        check.equal("the model reads the answer", json.loads(outputs_sent(s)[-1])["answers"], {"Which color?": "Blue"})
        t = start(s, f'{ours("AskUserQuestion", **ASK)} [[say unpainted]]')
        respond(s, t, question_of(s, t)["id"], "deny", message="Later")
        check.equal("not answered", s.wait_task(t)["result"], "unpainted")
        check.equal("the model is told", outputs_sent(s)[-1], '{"error":"Later"}')
        t = start(s, f'{ours("AskUserQuestion", questions=[])} [[say no question]]')
        row = s.wait_task(t)
        check("a question without form does not reach a person", row["result"] == "no question" and asked(s, t, "agent_message") == 0 and
              "Invalid arguments" in outputs_sent(s)[-1], (row, outputs_sent(s)))
        own = {"questions": [{"id": "q1", **{k: v for k, v in ASK["questions"][0].items() if k != "multiSelect"}}]}
        t = start(s, f'{ours("request_user_input", **own)} [[say own question]]')
        got = s.until(lambda: (s.rows("SELECT id, tool_input FROM notifications WHERE task_id = ? AND type = 'agent_message'", t),
                               s.ok("GET", f"/api/tasks/{t}")["status"]), lambda x: x and (x[0] or x[1] != "running"), 20)
        if got[0]:
            check.equal("the program's own question looks the same", json.loads(got[0][0]["tool_input"]), ASK)
            respond(s, t, got[0][0]["id"], "allow", updatedInput={**ASK, "answers": {"Which color?": "Red"}})
        check.equal("the program's own question has an end", s.wait_task(t)["result"], "own question")
        check("and the model reads what came of it", "Red" in outputs_sent(s)[-1] if got[0] else "unavailable" in outputs_sent(s)[-1],
              outputs_sent(s))


def faults(check):
    with stack() as s:
        t = start(s, "[[flaky 1 500]] [[say at last]]")
        check.equal("a fault is repeated", s.wait_task(t, timeout=60)["result"], "at last")
        for text, words in (("[[error 401]]", "401"), ("[[error 429]]", "429"), ("[[error 500]]", "high demand"),
                            ("[[error 400]]", "scripted 400"), ("[[cut]] [[say one two three]]", "stream disconnected")):
            t = start(s, text)
            row = s.wait_task(t, timeout=60)
            check(f"{text} fails in words", row["status"] == "failed" and words in row["result"], row["result"])
            last = rows(s, t)[-1]
            check(f"{text}: the last row says why, no other one", last["event"] == "failed" and words in json.loads(last["payload"])["error"]
                  and "error" not in events(s, t), last)
        check.equal("one ledger row, failed", s.rows("SELECT status FROM usage_ledger WHERE task_id = ?", t), [{"status": "failed"}])
        check.equal("one notification", s.one("SELECT count(*) FROM notifications WHERE task_id = ?", t), 1)
        t = start(s, "[[hang]]")
        s.until(lambda: [e for e in s.provider_log() if "[[hang]]" in json.dumps(e["json"])], bool, 20)
        began = time.time()
        s.ok("POST", f"/api/tasks/{t}/cancel")
        ended(s, t)
        check("a hanging call is cancelled at once", time.time() - began < 6, time.time() - began)
        check.equal("as cancelled", (s.ok("GET", f"/api/tasks/{t}")["status"], events(s, t)[-1]), ("cancelled", "cancelled"))
        check.equal("its last row", [list(x) for x in payloads(s, t, "cancelled")], [["threadId", "turnId"]])
        nothing_left(s, check, "after faults")


def limits(check):
    with stack() as s:
        d = s.root / "home/.claude/skills/strict"
        d.mkdir(parents=True)
        (d / "profile.yaml").write_text("id: strict\nname: Strict\nversion: 1.0.0\ndomain: work\ntags: [x]\nsupportedRuntimes: [%s]\n"
                                        "canUseToolPolicy:\n  autoApprove: [Bash]\n  autoDeny: [list_tasks]\n"
                                        "capabilityOverrides:\n  %s:\n    modelId: gpt-5.4\n" % (AGENT, AGENT))
        (d / "SKILL.md").write_text("---\nname: strict\ndescription: x\n---\n\nBe brief: strict.\n")
        t = start(s, f'{command("touch auto")} {ours("list_tasks")} [[say x]]', agentProfile="strict")
        row = s.wait_task(t)
        check("the profile's policy allows and denies", row["result"] == "x" and (s.root / "cwd/auto").exists() and
              outputs_sent(s)[-1] == '{"error":"Profile policy denies list_tasks"}', (row, outputs_sent(s)))
        check("the profile's text is among the instructions", "Be brief: strict." in json.dumps(s.provider_log()[0]["json"]["input"]))
        check.equal("its model is taken", (s.provider_log()[0]["json"]["model"], row["usage"]["modelId"]), ("gpt-5.4", "gpt-5.4"))
        check.equal("at its price", row["usage"]["costMicros"] > 0, True)
        gone = s.ok("POST", "/api/projects", {"name": "G", "workingDirectory": str(s.root / "nowhere")})["id"]
        row = s.wait_task(start(s, "[[say x]]", projectId=gone))
        check.equal("a folder that is not there", (row["status"], row["result"]), ("failed", f"Working directory not found: {s.root}/nowhere"))
        t = start(s, f'{command("touch spent1")} {command("touch spent2")} [[say x]]')
        n = s.wait_request(t)
        s.write([("UPDATE tasks SET resume_count = 0 WHERE id = ?", (t,))])
        s.ok("POST", f"/api/tasks/{t}/cancel")
        ended(s, t)
        s.write([("UPDATE usage_ledger SET cost_micros = 1999999 WHERE task_id = ?", (t,))])
        s.ok("POST", f"/api/tasks/{t}/resume")
        n = s.until(lambda: s.wait_request(t, 1), bool, 20)
        respond(s, t, n["notificationId"], "allow")
        row = s.wait_task(t)
        check.equal("at the spending limit it is stopped", (row["status"], row["result"]), ("failed", "Task stopped: budget_exceeded"))
        check.equal("its last row says so", payloads(s, t, "failed")[-1]["error"], "Spending limit of 2.00 USD reached")
        nothing_left(s, check, "limits")


def resume(check):
    with stack() as s:
        t = start(s, f'{command("touch r1")} {command("touch r2")} [[say resumed well]]')
        answer(s, t, "allow")
        n = s.until(lambda: s.wait_request(t, 1), bool, 20)
        s.ok("POST", f"/api/tasks/{t}/cancel")
        row = s.wait_task(t)
        ended(s, t)
        check.equal("cancelled while it asks", row["status"], "cancelled")
        got = json.loads(s.one("SELECT response FROM notifications WHERE id = ?", n["notificationId"]))
        check.equal("its request is closed", got, {"behavior": "deny", "message": "Task cancelled"})
        nothing_left(s, check, "cancelled")
        first = s.rows("SELECT input_tokens FROM usage_ledger WHERE task_id = ?", t)
        s.ok("POST", f"/api/tasks/{t}/resume")
        answer(s, t, "allow")
        again = s.wait_task(t)
        check.equal("it goes on", (again["status"], again["result"], again["resumeCount"], again["sessionId"]),
                    ("completed", "resumed well", 1, row["sessionId"]))
        ledger = s.rows("SELECT activity_type, input_tokens FROM usage_ledger WHERE task_id = ? ORDER BY rowid", t)
        check.equal("the tokens of before are counted once", (first, ledger[1:]), ([{"input_tokens": 200}],
                    [{"activity_type": "task_resume", "input_tokens": 200}]))
        for gone in ("12345678-1234-4234-8234-123456789012", "nonsense"):
            t = start(s, "[[error 400]]")
            s.wait_task(t)
            s.write([("UPDATE tasks SET session_id = ? WHERE id = ?", (gone, t))])
            s.ok("POST", f"/api/tasks/{t}/resume")
            row = s.wait_task(t)
            check.equal(f"a session that is gone ({gone[:8]})", (row["status"], row["result"], row["sessionId"]),
                        ("failed", "Session expired \u2014 re-queue for fresh start", None))
            check("is told so", s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND title = 'Session expired: T'", t) == 1)


def end_program(s):
    for p in servers(s):
        s.kill(p)


def kills(check):
    with stack() as s:
        for name, how in (("run process", end_run), ("runner", end_runner)):
            t = start(s, f'{command("touch k1")} {ours("create_task", title="by " + name)} [[say survived]]', name)
            n = s.wait_request(t, 30)
            how(s)
            back(s, t)
            respond(s, t, n["notificationId"], "allow")
            answer(s, t, "allow")
            row = s.wait_task(t, timeout=60)
            check.equal(f"{name} killed while it asks: completed", (row["status"], row["result"]), ("completed", "survived"))
            check.equal(f"{name} killed while it asks: nothing is asked twice", asked(s, t), 2)
            check.equal(f"{name} killed while it asks: each call took effect once", s.one("SELECT count(*) FROM tasks WHERE title = ?", f"by {name}"), 1)
            check.equal(f"{name} killed while it asks: no resume is counted", row["resumeCount"], 0)
            nothing_left(s, check, f"{name} killed while it asks")
            t = start(s, f'{ours("AskUserQuestion", **ASK)} [[say asked once]]', name)
            n = question_of(s, t)
            how(s)
            back(s, t)
            respond(s, t, n["id"], "allow", updatedInput={**ASK, "answers": {"Which color?": "Red"}})
            check.equal(f"{name} killed during a question: answered once", (s.wait_task(t)["result"], asked(s, t, "agent_message")),
                        ("asked once", 1))
            t = start(s, f'{command("sleep 60; echo no")} [[say over]]', name)
            answer(s, t, "allow")
            s.until(lambda: [p for p in clients(s) if title(p) == "sleep 60"], bool, 20)
            before = clients(s)
            how(s)
            back(s, t)
            left = s.until(lambda: [p for p in clients(s) if p in before], lambda n: not n, 10)
            check(f"{name} killed in a turn: the processes before are gone", not left, [title(p) for p in left])
            s.ok("POST", f"/api/tasks/{t}/cancel")
            check.equal(f"{name} killed in a turn: it can be cancelled", s.wait_task(t)["status"], "cancelled")
            check.equal(f"{name} killed in a turn: nothing is asked twice", asked(s, t), 1)
            nothing_left(s, check, f"{name} killed in a turn")
            t = start(s, "[[sleep 1500]] [[say thought]]", name)
            s.until(lambda: "turn_started" in events(s, t), bool, 20)
            how(s)
            check.equal(f"{name} killed before anything was done: completed", s.wait_task(t, timeout=60)["result"], "thought")
        t = start(s, f'{ours("create_task", title="once only")} [[say once]]', "missed")
        n = s.wait_request(t, 30)
        frozen = servers(s)
        for p in frozen:
            s.kill(p, signal.SIGSTOP)
        respond(s, t, n["notificationId"], "allow")
        s.until(lambda: s.one("SELECT count(*) FROM tasks WHERE title = 'once only'"), bool, 10)
        for p in [*s.pids()["runs"], *frozen]:
            s.kill(p)
        row = s.wait_task(t, timeout=60)
        check.equal("a result that the program has missed is given again, the call is not made again", (row["result"], asked(s, t),
            s.one("SELECT count(*) FROM tasks WHERE title = 'once only'")), ("once", 1, 1))
        check("the model reads it", "once only" in outputs_sent(s)[-1], outputs_sent(s))
        for name, text, want in (("before anything was done", "[[sleep 3000]]", ("completed", "a new thread")),
                                 ("with something done", command("touch k3"), ("failed", "Task stopped: interrupted"))):
            t = start(s, f"{text} [[say a new thread]]", name)
            s.until(lambda: s.wait_request(t, 0.2) if "touch" in text else "turn_started" in events(s, t), bool, 20)
            for p in [*s.pids()["runs"], *servers(s)]:
                s.kill(p)
            for f in (s.data / "runtimes/codex/sessions").rglob("*.jsonl"):
                f.unlink()
            row = s.wait_task(t, timeout=60)
            check.equal(f"the thread is gone {name}", (row["status"], row["result"]), want)
        for name, text in (("while it asks", command("touch k2")), ("in a turn", "[[hang]]"), ("in a command", command("sleep 60"))):
            t = start(s, f"{text} [[say x]]", "program " + name)
            if "turn" in name:
                s.until(lambda: "turn_started" in events(s, t), bool, 20)
            else:
                s.wait_request(t, 30)
            if "command" in name:
                answer(s, t, "allow")
                s.until(lambda: [p for p in clients(s) if title(p) == "sleep 60"], bool, 20)
            end_program(s)
            row = s.wait_task(t)
            check(f"program killed {name}: failed in words", row["status"] == "failed" and
                  row["result"].startswith("Codex ended before its turn was completed (signal 9 (Killed))"), row)
            check.equal(f"program killed {name}: no request stays open", s.wait_request(t, 0.3), None)
            nothing_left(s, check, f"program killed {name}")


def restart_and_park(check):
    with stack(**{"runs.park_after": 1}) as s:
        for name, text, get in (("command", command("touch p1"), lambda t: s.wait_request(t)["notificationId"]),
                                ("question", ours("AskUserQuestion", **ASK), lambda t: question_of(s, t)["id"])):
            t = start(s, f"{text} [[say after days]]")
            n = get(t)
            gone = s.until(lambda: (s.pids()["runs"], clients(s)), lambda p: p == ([], []), 20)
            check.equal(f"{name}: a run that waits leaves memory, its program too", gone, ([], []))
            s.stop(only=("supervisor",))
            s.start_runner()
            time.sleep(1)
            check.equal(f"{name}: and stays away until it is answered", clients(s), [])
            respond(s, t, n, "allow", **({"updatedInput": {**ASK, "answers": {"Which color?": "Red"}}} if name == "question" else {}))
            row = s.wait_task(t)
            check.equal(f"{name}: the answer brings it back, and is not asked for again", (row["status"], row["result"],
                asked(s, t) + asked(s, t, "agent_message")), ("completed", "after days", 1))
    with stack() as s:
        t = start(s, f'{command("touch q1")} [[say after a restart]]')
        n = s.wait_request(t, 30)
        took = s.stop(only=("supervisor",))
        check("the runner stops within 6 s", not s.killed and took < 6.5, (s.killed, took))
        nothing_left(s, check, "runner stopped")
        respond(s, t, n["notificationId"], "allow")
        s.start_runner()
        row = s.wait_task(t)
        check.equal("and the next one goes on, with an answer that came meanwhile", (row["status"], row["result"], asked(s, t)),
                    ("completed", "after a restart", 1))


INIT = '{"id":1,"result":{"userAgent":"stagent/0.169.0 (x)"}}'
BROKEN = {
    "exits at once": ("echo boom >&2; exit 3", "exit status 3): boom", True),
    "says rubbish": ("echo no json; echo '[1]'; exit 0", "ended before its turn was completed (exit status 0)", True),
    "floods": ("exec yes rubbish", "cannot be understood", True),
    "one endless line": ("(head -c 40000000 /dev/zero | tr '\\0' x; echo; cat >/dev/null); exit 1", "does not answer", True),
    "says nothing": ("exec sleep 100", "does not answer", True),
    "refuses to begin": ("""echo '{"id":1,"error":{"code":-32600,"message":"not today"}}'; exec cat >/dev/null""", "not today", True),
    "stops after its greeting": (f"echo '{INIT}'; exit 4", "exit status 4", False),
    "names no thread": (f"""echo '{INIT}'; echo '{{"id":2,"result":{{}}}}'; exec cat >/dev/null""", "without an id", True),
    "cannot run": (None, "Exec format error", True),
}


# A program that is too eager: requests without end, a tool without a name, a kind that nobody knows, and answers never asked for.
EAGER = f"""#!/bin/sh
[ "$1" = --version ] && echo "codex-cli 0.169.0" && exit 0
echo '{INIT}'
echo '{{"id":2,"result":{{"thread":{{"id":"T"}},"model":"m","approvalPolicy":"POLICY"}}}}'
echo '{{"id":3,"result":{{"turn":{{"id":"U"}}}}}}'
i=0
while [ $i -lt 100 ]; do
  echo '{{"id":'$i',"method":"item/commandExecution/requestApproval","params":{{"threadId":"T","turnId":"U","itemId":"same","command":"touch '$i'","cwd":"/"}}}}'
  i=$((i+1))
done
echo '{{"id":"t","method":"item/tool/call","params":{{"threadId":"T","turnId":"U","callId":"c","arguments":7}}}}'
echo '{{"id":"r","method":"item/permissions/requestApproval","params":{{"threadId":"T","permissions":{{"network":true}}}}}}'
echo '{{"id":"f","method":"mcpServer/elicitation/request","params":{{}}}}'
echo '{{"id":"x","method":"execCommandApproval","params":{{"command":["rm"]}}}}'
echo '{{"id":99,"result":{{}}}}'
exec cat > LOG
"""


def eager(check):
    with stack(program="") as s:
        f, log = s.root / "codex", s.root / "told"
        s.stop(only=("supervisor",))
        s.extra_env["STAGENT_CODEX_BIN"] = str(f)
        s.start_runner()
        f.write_text(EAGER.replace("LOG", str(log)).replace("POLICY", "untrusted"))
        f.chmod(0o755)
        t = start(s, "[[say x]]")
        told = s.until(lambda: [json.loads(x) for x in log.read_text().splitlines()], lambda x: x and len(x) >= 44, 20)
        by = {json.dumps(x.get("id")): x for x in told if "method" not in x}
        check.equal("sixty-four requests wait, the others are declined", (asked(s, t), sum(x.get("result") == {"decision": "decline"}
                    for x in by.values())), (64, 36))
        check.equal("calls of one item are told apart", s.one("SELECT count(DISTINCT input) FROM engine_calls"), 64)
        check("a tool without a name is refused", by['"t"']["result"]["success"] is False, by['"t"'])
        check.equal("no rights are given", by['"r"']["result"], {"permissions": {}, "scope": "turn"})
        check.equal("no forms are filled in", by['"f"']["result"], {"action": "decline", "content": None, "_meta": None})
        check("unknown requests are refused", by['"x"']["error"]["code"] == -32601, by['"x"'])
        n = s.wait_request(t)
        respond(s, t, n["notificationId"], "allow")
        one = s.until(lambda: [json.loads(x) for x in log.read_text().splitlines() if "accept" in x], bool, 10)
        check.equal("each is answered by itself", (len(one), n["toolInput"]["command"]), (1, f"touch {one[0]['id']}"))
        s.ok("POST", f"/api/tasks/{t}/cancel")
        ended(s, t)
        check.equal("cancelled, with all its requests", (s.ok("GET", f"/api/tasks/{t}")["status"], s.wait_request(t, 0.2)), ("cancelled", None))
        nothing_left(s, check, "an eager program")
        f.write_text(EAGER.replace("LOG", str(log)).replace("POLICY", "never"))
        row = s.wait_task(start(s, "[[say x]]"))
        check("a program that would not ask is not used", row["status"] == "failed" and "would not ask" in row["result"], row["result"])


def broken(check):
    for name, (script, words, mend) in BROKEN.items():
        with stack(program="") as s:
            f = s.root / "codex"
            f.write_bytes(b"\x7fELFrubbish" if script is None else
                          f'#!/bin/sh\n[ "$1" = --version ] && echo "codex-cli 0.42.1" && exit 0\n{script}\n'.encode())
            f.chmod(0o755)
            s.stop(only=("supervisor",))
            s.extra_env["STAGENT_CODEX_BIN"] = str(f)
            s.start_runner()
            t = start(s, "[[say x]]")
            row = s.wait_task(t, timeout=40)
            check(f"a program that {name}: fails in words", row["status"] == "failed" and words in row["result"], row["result"])
            check(f"a program that {name}: named, with its version and the mend", not mend or "npm install -g @openai/codex" in row["result"]
                  and str(f) in row["result"] and (script is None or "0.42.1" in row["result"] or "0.169.0" in row["result"]), row["result"])
            check.equal(f"a program that {name}: one row says it", events(s, t), ["failed"])
            _, got = s.api("POST", "/api/settings/test", {"runtime": AGENT}, timeout=60)
            check(f"a program that {name}: no connection", not got["connected"] and str(f) in got["error"] and
                  "npm install -g @openai/codex" in got["error"], got)
            nothing_left(s, check, f"a program that {name}")
    with stack(program="/nonexistent/codex") as s:
        row = s.wait_task(start(s, "[[say x]]"))
        missing = "Codex CLI not found. Install it, or choose another runtime."
        check.equal("without the program", (row["status"], row["result"]), ("failed", missing))
        check.equal("nor is it connected", s.ok("POST", "/api/settings/test", {"runtime": AGENT})["error"], missing)
        _, got = s.api("POST", "/api/tasks/assist", {"title": "x", "assignedAgent": AGENT})
        check.equal("nor does it assist", got, {"error": missing})


INTERRUPTED = """for line in '{"id":1,"result":{"userAgent":"stagent/0.169.0 (x)"}}' \\
    '{"id":2,"result":{"thread":{"id":"T1"},"model":"m","approvalPolicy":"untrusted"}}' '{"id":3,"result":{"turn":{"id":"U1"}}}' \\
    '{"method":"turn/completed","params":{"threadId":"T1","turn":{"id":"U1","status":"interrupted","error":null}}}'
do echo "$line"; sleep 0.1; done; exec cat >/dev/null"""


def interrupted(check):
    """A turn that the program itself has interrupted."""
    with stack(program="") as s:
        f = s.root / "codex"
        f.write_text(f'#!/bin/sh\n[ "$1" = --version ] && echo "codex-cli 0.169.0" && exit 0\n{INTERRUPTED}\n')
        f.chmod(0o755)
        s.stop(only=("supervisor",))
        s.extra_env["STAGENT_CODEX_BIN"] = str(f)
        s.start_runner()
        t = start(s, "[[say x]]")
        ended(s, t)
        row = s.ok("GET", f"/api/tasks/{t}")
        check.equal("a turn that was interrupted: cancelled", (row["status"], row["result"]), ("cancelled", None))
        check.equal("its last row", payloads(s, t, "cancelled"), [{"threadId": "T1", "turnId": "U1"}])
        check.equal("its ledger row", s.rows("SELECT status FROM usage_ledger WHERE task_id = ?", t), [{"status": "cancelled"}])
        check.equal("no notification", s.one("SELECT count(*) FROM notifications WHERE task_id = ?", t), 0)
        nothing_left(s, check, "after an interrupted turn")


def asks(check):
    with stack() as s:
        status, got = s.api("POST", "/api/tasks/assist", {"title": '[[say {"improvedDescription": "better", "breakdown": []}]]',
                                                          "assignedAgent": AGENT})
        check.equal("an assist", (status, got), (200, {"improvedDescription": "better", "breakdown": []}))
        body = s.provider_log()[-1]["json"]
        schema = body["text"]["format"]["schema"]
        check.equal("the answer has a schema", (sorted(schema["required"]), schema["properties"]["recommendedPattern"]["enum"]),
                    (["breakdown", "complexity", "improvedDescription", "needsCheckpoint", "reasoning", "recommendedPattern"],
                     ["single", "sequence", "planner-executor", "checkpoint"]))
        ledger = s.rows("SELECT activity_type, runtime_id, status, input_tokens FROM usage_ledger")
        check.equal("it is in the ledger", ledger, [{"activity_type": "task_assist", "runtime_id": AGENT, "status": "completed", "input_tokens": 100}])
        made = s.root / "cwd/made-by-assist"
        s.api("POST", "/api/tasks/assist", {"title": f'{command(f"touch {made}")} [[say x]]', "assignedAgent": AGENT})
        check("an assist has no commands", not made.exists() and "No usable execution environment" in outputs_sent(s)[-1], outputs_sent(s))
        status, got = s.api("POST", "/api/tasks/assist", {"title": "[[say no plan at all]]", "assignedAgent": AGENT})
        check.equal("an answer without form is given as it is", (status, got["improvedDescription"]), (200, "no plan at all"))
        status, got = s.api("POST", "/api/tasks/assist", {"title": "[[error 401]]", "assignedAgent": AGENT})
        check("a refused key is told", status == 500 and "401" in got["error"], got)
        s.ok("POST", "/api/settings/runtime", {"sdkTimeoutSeconds": "10"})
        began = time.time()
        status, got = s.api("POST", "/api/tasks/assist", {"title": "[[hang]]", "assignedAgent": AGENT}, timeout=40)
        check("a model that hangs has a limit", status == 500 and got["error"] == "Codex task assist timed out after 10s" and
              9 < time.time() - began < 25, (got, time.time() - began))
        nothing_left(s, check, "assists")
        got = s.ok("POST", "/api/settings/test", {"runtime": AGENT})
        check.equal("connected", (got["connected"], got["apiKeySource"]), (True, "env"))
        check.equal("and where its key comes from is kept", [r["value"] for r in s.rows("SELECT value FROM settings WHERE key = "
                    "'openai.authApiKeySource'")], ["env"])
        nothing_left(s, check, "the test of the connection")
    with stack(env={"OPENAI_BASE_URL": "http://127.0.0.1:1/v1"}) as s:
        got = s.ok("POST", "/api/settings/test", {"runtime": AGENT})
        check("a provider that is not there", not got["connected"] and got["error"], got)
    with stack(env={"OPENAI_API_KEY": ""}) as s:
        got = s.ok("POST", "/api/settings/test", {"runtime": AGENT})
        check.equal("without a key", (got["connected"], got["error"]), (False, "OpenAI API key is not configured"))
        row = s.wait_task(start(s, "[[say x]]"))
        check.equal("no run without a key", (row["status"], row["result"]),
                    ("failed", "No OpenAI API key configured. Set one in Settings > Authentication."))


def many(check):
    with stack(**{"runs.max": 8}) as s:
        tasks = [start(s, "[[drip 100]] [[words 90]]", f"many {i}") for i in range(8)]
        s.until(lambda: [t for t in tasks if "turn_started" in events(s, t)], lambda x: len(x) == 8, 60)
        own = [memory(p, "Private_Dirty") + memory(p, "Private_Clean") for p in s.pids()["runs"]]
        got = [s.wait_task(t, timeout=120)["status"] for t in tasks]
        check.equal("eight runs at once finish", got.count("completed"), 8)
        print(f"     private memory of our own process: {max(own, default=0)} KiB at most, of {len(own)} runs")
        nothing_left(s, check, "after eight runs")


PARTS = [permissions, untrusted, files, tools, nobody, two_at_once, questions, faults, limits, resume, kills, restart_and_park, eager, broken, interrupted, asks, many]


def test(check):
    global CODEX
    CODEX = programs.installed()["codex"]
    for part in PARTS:
        if not sys.argv[1:] or part.__name__ in sys.argv[1:]:
            part(check)


main(test)
