#!/usr/bin/env python3
"""What an agent learns, and Ollama, on the whole stack: learning.py [nginx|lighttpd]. Settings that have no operation
yet are written into the database."""
import os, subprocess, sys
from concurrent.futures import ThreadPoolExecutor

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main
import sqlite3


def doctor(c, s, ctl):
    """What stagentctl doctor says of the command-line agents."""
    program = s.root / "agent"
    mend = {"CLAUDE": "npm install -g @anthropic-ai/claude-code", "CODEX": "npm install -g @openai/codex"}
    for name, script, status, text in (
        ("CLAUDE", "echo '2.1.197 (Claude Code)'", 0, f"ok    Claude Code 2.1.197 at {program}\n"),
        ("CODEX", "echo codex-cli 0.169.0", 0, f"ok    Codex 0.169.0 at {program}\n"),
        ("CLAUDE", "echo '1.0.3 (Claude Code)'", 0, f"warn  Claude Code 1.0.3 at {program} is older than 2.0\n      -> {mend['CLAUDE']}\n"),
        ("CODEX", "echo codex-cli 0.99.1", 0, f"warn  Codex 0.99.1 at {program} is older than 0.100\n      -> {mend['CODEX']}\n"),
        ("CLAUDE", "echo no module >&2; exit 3", 1, f"FAIL  Claude Code at {program} is broken: exit status 3: no module\n"),
        ("CODEX", "echo hello", 1, f"FAIL  Codex at {program} is broken: its answer has no version\n"),
        ("CODEX", None, 1, f"FAIL  Codex at {program} is broken: Exec format error\n"),
    ):
        program.write_bytes(b"\x7fELFrubbish" if script is None else f"#!/bin/sh\n{script}\n".encode())
        program.chmod(0o755)
        got = ctl("doctor", **{f"STAGENT_{name}_BIN": str(program)})
        c(f"doctor: {name} that says {script}", got[0] == status and text in got[1], got)
    none = str(s.root / "nothing")
    status, text = ctl("doctor", STAGENT_CLAUDE_BIN=none, STAGENT_CODEX_BIN=none)
    c("doctor: no agents", status == 0 and f"warn  no Claude Code ({none}): the built-in loop stands in for it\n      -> {mend['CLAUDE']}, or set "
      "claude.program\n" in text and f"warn  no Codex ({none}): tasks on openai-codex-app-server fail\n      -> {mend['CODEX']}, or set "
      "codex.program\n" in text, text)
    status, text = ctl("doctor", STAGENT_CLAUDE_BIN=none, ANTHROPIC_API_KEY="")
    c("doctor: nor a key", "tasks on claude-code fail: the built-in loop that could stand in for it has no Anthropic key" in text, text)
    status, text = ctl("-o", "runtime.fallback=off", "doctor", STAGENT_CLAUDE_BIN=none)
    c("doctor: nor a stand-in", "tasks on claude-code fail (runtime.fallback is off)" in text, text)


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx") as s:
        def sql(text, *args):
            with sqlite3.connect(s.db_path, timeout=10) as db:
                return db.execute(text, args).fetchall()

        def setting(key, value):
            sql("INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 0) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                key, value)

        def proposals():
            return sql("SELECT id, proposed_additions, proposal_notification_id, version FROM learned_context "
                       "WHERE change_type = 'proposal' ORDER BY version")

        def run(tip):
            say = '[[say [{"title": "%s", "description": "Text", "category": "shortcut"}] ]]' % tip
            t = s.api("POST", "/api/tasks", {"title": "x", "description": say, "assignedAgent": "anthropic-direct",
                                             "agentProfile": "general"})[1]["id"]
            s.api("PATCH", f"/api/tasks/{t}", {"status": "queued"})
            s.api("POST", f"/api/tasks/{t}/execute")
            return t

        t = run("Zero")
        c.equal("run completes", s.wait_task(t, ("completed", "failed"))["status"], "completed")
        c.equal("by default only Claude Code's runs teach", sql("SELECT count(*) FROM jobs WHERE kind = 'learn'"), [(0,)])
        setting("learning.autoExtract", "all")
        tasks = [run(f"Tip {i}") for i in range(6)]
        got = s.until(proposals, lambda p: len(p) == 6, 40)
        c.equal("every completed run proposes", sorted(p[1] for p in got), [f"### Tip {i} [shortcut]\nText" for i in range(6)])
        if len(got) < 6:
            print(sql("SELECT id, kind, state, attempts, error FROM jobs"), sql("SELECT status, count(*) FROM tasks GROUP BY 1"))
        c.equal("versions count up", [p[3] for p in got], [1, 2, 3, 4, 5, 6])
        c.equal("ledger", sql("SELECT count(*), min(status), min(runtime_id) FROM usage_ledger WHERE activity_type = 'pattern_extraction'"),
                [(6, "completed", "claude-code")])
        c.equal("tasks stay as they are", {s.api("GET", f"/api/tasks/{t}")[1]["status"] for t in tasks}, {"completed"})
        n = s.api("GET", "/api/notifications?type=context_proposal")[1]
        c.equal("a notification each", (len(n), n[0]["title"], n[0]["toolName"]), (6, "Context proposal for general", "general"))
        ids = [p[0] for p in got]
        with ThreadPoolExecutor(8) as pool:
            counts = list(pool.map(lambda _: s.api("POST", "/api/context/batch", {"proposalIds": ids[:5], "action": "approve"})[1]["count"],
                                   range(8)))
        c.equal("eight at once decide each proposal once", sum(counts), 5)
        c.equal("versions are unique", sql("SELECT count(*) = count(DISTINCT version) FROM learned_context"), [(1,)])
        c.equal("reject", s.api("POST", "/api/context/batch", {"proposalIds": ids, "action": "reject"}),
                (200, {"success": True, "action": "reject", "count": 1}))
        c.equal("nothing is left open", s.api("GET", "/api/notifications/pending-approvals")[1], [])
        s.until(lambda: s.wait_task(run("Last"), ("completed",)), bool)
        c("the next run is given the text", "### Tip 0 [shortcut]" in str(s.provider_log()))

        def ctl(*argv, **env):
            p = subprocess.run([str(s.build / "stagentctl"), *s._options(), *argv], capture_output=True, text=True,
                               env={**s.environment(), **env})
            return p.returncode, p.stdout + p.stderr

        open_ = s.until(lambda: s.api("GET", "/api/notifications/pending-approvals")[1], bool)
        status, text = ctl("approvals")
        c("stagentctl lists proposals", status == 0 and open_[0]["id"] in text and "### Last [shortcut]" in text, text)
        c.equal("stagentctl approves", ctl("approvals", "allow", open_[0]["id"]), (0, "approved\n"))
        c.equal("stagentctl approves once", ctl("approvals", "deny", open_[0]["id"]), (1, "stagentctl: Already responded\n"))
        c.equal("approved", sql("SELECT change_type FROM learned_context ORDER BY version DESC LIMIT 1"), [("approved",)])
        doctor(c, s, ctl)

        setting("ollama.baseUrl", s.fake + "/")
        status, got = s.api("GET", "/api/runtimes/ollama")
        c.equal("models", (status, got["models"][0]["name"]), (200, "llama3.2:latest"))
        pull = {"action": "pull", "model": "llama3.2:1b"}
        c.equal("pull", s.api("POST", "/api/runtimes/ollama", pull), (200, {"status": "success", "model": "llama3.2:1b"}))
        setting("ollama.baseUrl", s.fake + "/nothing")
        c.equal("models: 404", s.api("GET", "/api/runtimes/ollama"), (502, {"error": "Ollama responded with status 404"}))
        status, got = s.api("POST", "/api/runtimes/ollama", pull)
        c("pull: 404", status == 502 and got["error"].startswith("Ollama pull failed (404): "), got)
        for url in ("http://127.0.0.1:9", "not an address"):
            setting("ollama.baseUrl", url)
            status, got = s.api("GET", "/api/runtimes/ollama")
            c(f"models: {url}", status == 502 and got["error"] and got["hint"], got)
            status, got = s.api("POST", "/api/runtimes/ollama", pull)
            c(f"pull: {url}", status == 502 and got["error"] and "hint" not in got, got)


main(test)
