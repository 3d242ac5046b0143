"""The runtimes behind the one agent loop, against a whole Stagent and the fake provider: openai-direct, ollama and the
stand-in for claude-code; rows, results, ledger, resuming, and what goes over the wire. Settings and profiles are put
where the programs find them."""
import json, sqlite3, time
from pathlib import Path

from stack import Stack, main, request

PROFILE = """id: {id}
name: {id}
version: 1.0.0
domain: work
tags: [x]
supportedRuntimes: [claude-code, openai-direct, anthropic-direct, ollama]
canUseToolPolicy:
  autoApprove: [list_projects]
maxTurns: {turns}
"""
ENDS = ("completed", "failed", "cancelled")


def sql(s, text, *args):
    db = sqlite3.connect(s.db_path, timeout=10)
    try:
        rows = db.execute(text, args).fetchall()
        db.commit()
        return rows
    finally:
        db.close()


def setting(s, key, value):
    sql(s, "INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 1) "
           "ON CONFLICT (key) DO UPDATE SET value = excluded.value", key, value)


def profile(s, name, turns=5):
    d = s.root / "home" / ".claude" / "skills" / name
    d.mkdir(parents=True, exist_ok=True)
    (d / "profile.yaml").write_text(PROFILE.format(id=name, turns=turns))
    (d / "SKILL.md").write_text(f"---\nname: {name}\ndescription: x\n---\n\nAnswer.\n")


def logs(s, task):
    return sql(s, "SELECT event, payload FROM agent_logs WHERE task_id = ? ORDER BY rowid", task)


def ended(s, task, timeout=20):
    end = time.time() + timeout
    while True:
        status, t = s.api("GET", f"/api/tasks/{task}")
        if t["status"] in ENDS and not sql(s, "SELECT 1 FROM engine_runs WHERE task_id = ?", task):
            return t
        assert time.time() < end, (t, logs(s, task))
        time.sleep(0.05)


def run(s, text, runtime, prof="rt"):
    status, t = s.api("POST", "/api/tasks", {"title": "T", "description": text, "assignedAgent": runtime, "agentProfile": prof})
    assert status == 201, t
    s.api("PATCH", f"/api/tasks/{t['id']}", {"status": "queued"})
    status, got = s.api("POST", f"/api/tasks/{t['id']}/execute")
    assert status == 202, got
    return ended(s, t["id"])


def resume(s, task):
    status, got = s.api("POST", f"/api/tasks/{task}/resume")
    assert status == 202, got
    return ended(s, task)


def sent(s, path, behind=0):
    """The bodies that the provider got at PATH, but for the first BEHIND ones."""
    log = json.loads(request(s.fake_port, "GET", "/_log")[2])
    return [e["json"] for e in log if e["path"].endswith(path)][behind:]


def events(s, task):
    return [e for e, _ in logs(s, task)]


def openai(s):
    t = run(s, "[[tool list_projects {}]] [[say done]]", "openai-direct")
    assert t["status"] == "completed" and t["result"] == "done", t
    assert events(s, t["id"]) == ["started", "openai_response_id", "session_snapshot", "tool_start", "openai_response_id",
                                  "completed"], events(s, t["id"])
    one, two = sent(s, "/responses")
    assert "previous_response_id" not in one and one["input"][0]["role"] == "user", one
    assert two["previous_response_id"].startswith("resp_"), two
    assert [i["type"] for i in two["input"]] == ["function_call_output"], two
    assert two["instructions"] == one["instructions"] and two["stream"] and two["store"]
    assert one["tools"][-1] == {"type": "web_search_preview"} and one["tools"][0]["strict"] is False

    t = run(s, "[[tool list_projects {}]] [[say Finished]]", "openai-direct", "one-turn")
    assert t["result"] == "Task stopped: max_turns", t
    rows = logs(s, t["id"])
    snapshot = [json.loads(p) for e, p in rows if e == "session_snapshot"][-1]
    assert list(snapshot) == ["items", "responseId"] and snapshot["items"][-1]["type"] == "function_call_output", snapshot
    before = len(sent(s, "/responses"))
    t = resume(s, t["id"])
    assert t["status"] == "completed" and t["result"] == "Finished", t
    again, = sent(s, "/responses", before)
    assert "previous_response_id" in again, again
    assert [i.get("type", i.get("role")) for i in again["input"]] == ["function_call_output", "user"], again
    assert "resumed" in events(s, t["id"])

    t = run(s, "[[error 400]]", "openai-direct")
    assert t["result"] == "Task stopped: error" and events(s, t["id"])[-2:] == ["error", "failed"], logs(s, t["id"])


def openai_cut(s):
    t = run(s, "[[cut]] [[say one two three]]", "openai-direct")
    assert t["result"] == "Task stopped: error", t
    assert "Stream ended unexpectedly" in dict(logs(s, t["id"]))["error"]


def ollama(s):
    setting(s, "ollama.baseUrl", s.fake + "/")
    t = run(s, "[[tool list_projects {}]] [[say After the tool.]]", "ollama")
    assert t["status"] == "completed" and t["result"] == "After the tool.", (t, logs(s, t["id"]))
    rows = logs(s, t["id"])
    assert [e for e, _ in rows] == ["started", "session_snapshot", "tool_start", "completed"], rows
    assert rows[0][1] == f'{{"runtime":"ollama","model":"llama3.2","baseUrl":"{s.fake}/","maxTurns":5}}', rows[0]
    assert rows[-1][1] == ('{"result":"After the tool.","turns":2,"usage":{"modelId":"llama3.2","inputTokens":200,'
                           '"outputTokens":40,"totalTokens":240}}'), rows[-1]
    assert t["usage"]["costMicros"] == 0, t
    one, two = sent(s, "/api/chat")
    names = [x["function"]["name"] for x in one["tools"]]
    assert "list_projects" in names and len(names) <= 13, names
    assert [m["role"] for m in two["messages"]] == ["system", "user", "assistant", "tool"], two
    ledger, = sql(s, "SELECT runtime_id, provider_id, pricing_version, cost_micros, status FROM usage_ledger WHERE task_id = ?", t["id"])
    assert ledger == ("ollama", "ollama", "local", 0, "completed"), ledger

    t = run(s, "[[error 404]]", "ollama")
    assert t["status"] == "failed" and t["result"] == 'Ollama API error (404): {"error": "scripted 404"}', t
    t = run(s, "[[cut]] [[say one two three]]", "ollama")
    assert t["status"] == "failed" and t["result"] == "Stream ended unexpectedly", t
    t = run(s, "[[say  ]]", "ollama")
    assert t["status"] == "failed" and t["result"] == "Ollama returned an empty response", t
    status, got = s.api("POST", "/api/tasks/assist", {"title": '[[say {"a": 1}]]', "assignedAgent": "ollama"})
    assert status == 200 and got == {"a": 1}, got
    assert sent(s, "/api/chat")[-1]["format"] == "json"
    setting(s, "ollama.baseUrl", "http://127.0.0.1:1")
    t = run(s, "x", "ollama")
    assert t["result"] == "Cannot connect to Ollama at http://127.0.0.1:1. Make sure it is running (ollama serve).", t


def claude(s):
    setting(s, "learning.autoExtract", "off")  # its ledger row would be a part of the task's usage
    t = run(s, "[[drip 30]] [[words 40]]", "claude-code")
    assert t["status"] == "completed" and t["sessionId"], t
    assert t["usage"]["totalTokens"] == 120 and t["usage"]["modelId"] == "claude-sonnet-4-6", t
    rows = logs(s, t["id"])
    order = [e for e, _ in rows]
    assert order[:3] == ["runtime_fallback", "message_start", "content_block_start"], order
    assert order[-2:] == ["session_snapshot", "completed"], order
    deltas = [json.loads(p) for e, p in rows if e == "content_block_delta"]
    assert 2 <= len(deltas) <= 6, len(deltas)
    assert "".join(d["delta"]["text"] for d in deltas) == t["result"], deltas
    assert rows[-1][1] == json.dumps({"result": t["result"]}, separators=(",", ":")), rows[-1]
    sql(s, "UPDATE tasks SET status = 'cancelled' WHERE id = ?", t["id"])
    t2 = resume(s, t["id"])
    assert t2["status"] == "completed" and t2["sessionId"] == t["sessionId"], t2
    rows = logs(s, t["id"])[len(rows):]
    assert [e for e, _ in rows][:2] == ["runtime_fallback", "session_resumed"], rows
    assert rows[1][1] == f'{{"sessionId":"{t["sessionId"]}","resumeCount":1,"profile":"rt"}}', rows[1]
    t = run(s, "[[tool list_projects {}]] [[say ok]]", "claude-code")
    order = events(s, t["id"])
    assert order.count("tool_start") == 1 and "started" not in order, order
    t = run(s, "[[error 401]]", "claude-code")
    assert t["status"] == "failed" and events(s, t["id"])[-1] == "error", (t, logs(s, t["id"]))
    row = sql(s, "SELECT runtime_id, status FROM usage_ledger WHERE task_id = ?", t["id"])
    assert row == [("claude-code", "failed")], row


def without(env, options, words):
    with Stack(env=env, options=options) as s:
        profile(s, "rt")
        t = run(s, "x", "claude-code")
        assert t["status"] == "failed" and t["result"] == words, (t, logs(s, t["id"]))
        assert events(s, t["id"]) == ["error"], logs(s, t["id"])


def attempt(c, name, part, *args):
    """An assertion that does not hold is one failure."""
    try:
        part(*args)
        c(name, True)
    except AssertionError as e:
        c(name, False, str(e))


def test(c):
    with Stack() as s:
        profile(s, "rt")
        profile(s, "one-turn", 1)
        for part in (openai, openai_cut, ollama, claude):
            attempt(c, part.__name__, part, s)
    missing = "Claude Code CLI not found. Install it, or choose another runtime."
    attempt(c, "no key", without, {"ANTHROPIC_API_KEY": ""}, {}, missing)
    attempt(c, "no fallback", without, {}, {"runtime.fallback": "off", "claude.program": "/nonexistent/claude"}, missing)


if __name__ == "__main__":
    main(test)
