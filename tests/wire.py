"""What goes over the wire to the HTTP runtimes, held against the wire protocols: headers, the keys of the bodies and their order,
system texts and cache marks, tool definitions, alternation, results of tools, refused calls, cut answers, repetitions.

The strict fake provider answers the first part. For what it cannot play (answers cut at the token limit, pauses, thinking, lost
responses) a small provider here gives prepared answers and keeps every request as it came, byte for byte.
"""
import json, threading, time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from runtimes import PROFILE, ended, resume, run, sent, setting, sql
from stack import KEY, Stack, main, request

THREE = ('[[tool list_projects {"z": 1, "a": 2}]]+[[tool list_tasks {}]]+[[tool no_such_tool {"q": "é"}]] '
         '[[tool list_notifications {}]] [[tool create_project {"name": "P"}]] [[say done]]')
POLICY_WORDS = {"error": "Profile policy denies list_notifications"}
USER_WORDS = {"error": "Tool denied by user"}
UNKNOWN_WORDS = {"error": "Unknown tool: no_such_tool"}
ALWAYS = {"host", "user-agent", "content-length"}
HEADERS = {
    "anthropic-direct": {"content-type": "application/json", "x-api-key": KEY, "anthropic-version": "2023-06-01",
                         "accept": "text/event-stream"},
    "openai-direct": {"content-type": "application/json", "authorization": "Bearer sk-fake-0123456789",
                      "accept": "text/event-stream"},
    "ollama": {"content-type": "application/json", "accept": "*/*"},
}
PATHS = {"anthropic-direct": "/v1/messages", "openai-direct": "/v1/responses", "ollama": "/api/chat"}
OLLAMA_TOOLS = ["list_projects", "list_tasks", "get_task", "create_task", "list_documents", "read_document_content", "write_output_file",
    "list_tables", "get_table_schema", "query_table", "add_rows", "send_handoff", "AskUserQuestion"]
MARK = {"type": "ephemeral"}
GO_ON = "Please go on where you stopped."


# The small provider

class Provider(BaseHTTPRequestHandler):
    """Gives the answers of SCRIPT, one a POST: (status, headers, bytes). GETs are the version of an Ollama server."""
    script, got = [], []
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def reply(self, status, headers, data):
        self.send_response(status)
        for k, v in headers.items():
            self.send_header(k, v)
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def do_GET(self):
        self.reply(200, {}, b'{"version":"0.9.0"}')

    def do_POST(self):
        raw = self.rfile.read(int(self.headers["content-length"]))
        Provider.got.append((self.path, {k.lower(): v for k, v in self.headers.items()}, raw, time.time()))
        self.reply(*(Provider.script.pop(0) if Provider.script else (500, {"x-should-retry": "false"}, b"the script is at its end")))


def sse(events):
    return 200, {"content-type": "text/event-stream"}, b"".join(
        f"event: {e['type']}\ndata: {json.dumps(e)}\n\n".encode() for e in events)


def anthropic_answer(stop, *blocks):
    """A streamed turn; a block whose input is a text (tool_use) is sent as that text."""
    events = [{"type": "message_start", "message": {"id": "msg_1", "type": "message", "role": "assistant", "model": "m", "content": [],
        "usage": {"input_tokens": 10, "output_tokens": 1}}}]
    for i, b in enumerate(blocks):
        start, deltas = dict(b), []
        if b["type"] == "text":
            start["text"], deltas = "", [{"type": "text_delta", "text": b["text"]}]
        elif b["type"] == "thinking":
            start.update(thinking="", signature="")
            deltas = [{"type": "thinking_delta", "thinking": b["thinking"]}, {"type": "signature_delta", "signature": b["signature"]}]
        elif b["type"] == "tool_use":
            text = b["input"] if isinstance(b["input"], str) else json.dumps(b["input"])
            start["input"], deltas = {}, [{"type": "input_json_delta", "partial_json": text}]
        events += [{"type": "content_block_start", "index": i, "content_block": start},
            *({"type": "content_block_delta", "index": i, "delta": d} for d in deltas), {"type": "content_block_stop", "index": i}]
    return sse(events + [{"type": "message_delta", "delta": {"stop_reason": stop, "stop_sequence": None}, "usage": {"output_tokens": 5}},
            {"type": "message_stop"}])


def openai_answer(id_, items, reason=None):
    """A streamed response; with REASON it is incomplete."""
    whole = {"id": id_, "object": "response", "status": "incomplete" if reason else "completed", "model": "m", "output": items,
        "incomplete_details": {"reason": reason} if reason else None, "usage": {"input_tokens": 10, "output_tokens": 5, "total_tokens": 15}}
    events = [{"type": "response.created", "response": {**whole, "status": "in_progress", "output": []}}]
    for i, item in enumerate(items):
        events += [{"type": "response.output_item.added", "output_index": i, "item": item},
            {"type": "response.output_item.done", "output_index": i, "item": item}]
    events += [{"type": "response.incomplete" if reason else "response.completed", "response": whole}]
    return sse([{**e, "sequence_number": n} for n, e in enumerate(events)])


def openai_text(text):
    return {"type": "message", "id": "msg_" + text[:3], "status": "completed", "role": "assistant",
        "content": [{"type": "output_text", "text": text, "annotations": []}]}


def openai_call(id_, name, arguments="{}"):
    return {"type": "function_call", "id": "fc_" + id_, "call_id": id_, "name": name, "arguments": arguments, "status": "completed"}


def ollama_answer(reason, content, calls=None, thinking=None):
    message = {"role": "assistant", "content": content, **({"thinking": thinking} if thinking else {}),
        **({"tool_calls": calls} if calls else {})}
    lines = [{"model": "m", "message": message, "done": False}, {"model": "m", "message": {"role": "assistant", "content": ""},
        "done": True, "done_reason": reason, "prompt_eval_count": 10, "eval_count": 5}]
    return 200, {"content-type": "application/x-ndjson"}, b"".join(json.dumps(x).encode() + b"\n" for x in lines)


# What is common to the runtimes

def equal(got, want, what):
    assert got == want, f"{what}: wanted {json.dumps(want)}, got {json.dumps(got)}"


def text_of(value):
    return json.dumps(value, ensure_ascii=False)


def closed(schema, where):
    """Every object of a tool's parameters names its properties and takes no others."""
    if schema.get("type") == "object" and "properties" in schema:
        assert schema.get("additionalProperties") is False, f"{where} is open: {schema}"
    for key, inner in schema.get("properties", {}).items():
        closed(inner, f"{where}.{key}")
    if "items" in schema:
        closed(schema["items"], where + "[]")


def check_tools(tools, name):
    assert len({t["name"] for t in tools}) == len(tools), "a tool twice"
    for t in tools:
        assert t["description"].strip(), t
        equal(t[name].get("type"), "object", t["name"])
        assert "properties" in t[name], t
        closed(t[name], t["name"])


def log_of(s, runtime, from_=0):
    """The requests of RUNTIME's calls behind the first FROM ones."""
    return [e for e in s.provider_log() if e["path"] == PATHS[runtime]][from_:]


def check_headers(entries, runtime):
    for e in entries:
        equal((e["method"], e["path"]), ("POST", PATHS[runtime]), "request line")
        h = {k: v for k, v in e["headers"].items() if k not in ALWAYS}
        equal(h, HEADERS[runtime], "headers")
        assert int(e["headers"]["content-length"]) > 0


def profile(s, name, more=""):
    d = s.root / "home" / ".claude" / "skills" / name
    d.mkdir(parents=True, exist_ok=True)
    text = PROFILE.format(id=name, turns=9).replace("[list_projects]", "[list_projects, list_tasks, no_such_tool]\n  autoDeny: [list_notifications]")
    (d / "profile.yaml").write_text(text + more)
    (d / "SKILL.md").write_text(f"---\nname: {name}\ndescription: x\n---\n\nAnswer.\n")


def run_three(s, runtime):
    """The bodies of a run: three calls at once, one that the profile denies, one that the user denies, the answer."""
    before = len(log_of(s, runtime))
    status, t = s.api("POST", "/api/tasks", {"title": "T", "description": THREE, "assignedAgent": runtime, "agentProfile": "wire"})
    s.ok("PATCH", f"/api/tasks/{t['id']}", {"status": "queued"})
    s.ok("POST", f"/api/tasks/{t['id']}/execute")
    asked = s.wait_request(t["id"])
    assert asked, s.api("GET", f"/api/tasks/{t['id']}")
    s.ok("POST", f"/api/tasks/{t['id']}/respond", {"notificationId": asked["notificationId"], "behavior": "deny"})
    t = ended(s, t["id"])
    equal((t["status"], t["result"]), ("completed", "done"), "the run")
    entries = log_of(s, runtime, before)
    equal(len(entries), 4, "number of requests")
    check_headers(entries, runtime)
    bodies = [e["json"] for e in entries]
    assert len({text_of(b["tools"]) for b in bodies}) == 1, "the tools of a run changed"
    assert len({b["model"] for b in bodies}) == 1
    return t, bodies


def snapshots(s, task):
    return [p for p, in sql(s, "SELECT payload FROM agent_logs WHERE task_id = ? AND event = 'session_snapshot' ORDER BY rowid", task)]


# anthropic-direct

def bare(block):
    return {k: v for k, v in block.items() if k != "cache_control"}


def check_marks(body):
    """On every system block, the last tool and the last block of the last user message; nowhere else."""
    marked = [t for t in body.get("system", [])] + body["tools"][-1:] + [m for m in body["messages"] if m["role"] == "user"][-1]["content"][-1:]
    for b in marked:
        equal(list(b)[-1:], ["cache_control"], "the last key of a marked block")
        equal(b["cache_control"], MARK, "mark")
    n = text_of(body).count('"cache_control"')
    assert n == len(marked) <= 4, f"{n} marks, {len(marked)} places"


def anthropic(s):
    t, bodies = run_three(s, "anthropic-direct")
    for b in bodies:
        equal(list(b), ["model", "max_tokens", "system", "messages", "tools", "stream"], "keys")
        equal((b["model"], b["max_tokens"], b["stream"]), ("claude-sonnet-4-20250514", 8192, True), "scalars")
        equal(len(b["system"]), 2, "system blocks")
        for block in b["system"]:
            equal(list(block), ["type", "text", "cache_control"], "system block")
            assert block["text"].strip()
        assert b["system"][0]["text"].count("Answer.") == 1 and "Answer." not in b["system"][1]["text"], b["system"]
        assert str(s.data / "outputs" / t["id"]) in b["system"][1]["text"] and "outputs" not in b["system"][0]["text"], b["system"]
        check_marks(b)
        equal([m["role"] for m in b["messages"]], (["user", "assistant"] * 4)[:len(b["messages"])], "roles")
        for m in b["messages"]:
            equal(list(m), ["role", "content"], "message")
            assert isinstance(m["content"], list) and m["content"], m
    equal([len(b["messages"]) for b in bodies], [1, 3, 5, 7], "lengths")
    equal(len({text_of(b["system"]) for b in bodies}), 1, "system texts of a run")
    for one, two in zip(bodies, bodies[1:]):
        known = [[bare(x) for x in m["content"]] for m in one["messages"]]
        equal([[bare(x) for x in m["content"]] for m in two["messages"][:len(known)]], known, "what was said before")
    for tool in bodies[0]["tools"]:
        equal([k for k in tool if k != "cache_control"], ["name", "description", "input_schema"], "tool")
    check_tools(bodies[0]["tools"], "input_schema")
    prompt = bodies[0]["messages"][0]["content"]
    equal(prompt, [{"type": "text", "text": THREE, "cache_control": MARK}], "first message")
    last = [[bare(x) for x in m["content"]] for m in bodies[3]["messages"]]
    uses = last[1]
    equal([list(u) for u in uses], [["type", "id", "name", "input"]] * 3, "tool_use")
    equal([(u["name"], text_of(u["input"])) for u in uses],
        [("list_projects", '{"z": 1, "a": 2}'), ("list_tasks", "{}"), ("no_such_tool", '{"q": "é"}')], "the turn as it came")
    results = last[2]
    equal([r["tool_use_id"] for r in results], [u["id"] for u in uses], "results in order")
    equal([list(r) for r in results], [["type", "tool_use_id", "content"]] * 2 + [["type", "tool_use_id", "content", "is_error"]], "keys of results")
    equal([json.loads(r["content"][0]["text"]) for r in results[2:] + last[4] + last[6]], [UNKNOWN_WORDS, POLICY_WORDS, USER_WORDS], "errors")
    for r in results + last[4] + last[6]:
        equal([list(c) for c in r["content"]], [["type", "text"]], "content of a result")
        assert r.get("is_error", True) is True, r
    assert all("is_error" in r for r in last[4] + last[6]), last
    for p in snapshots(s, t["id"]):
        assert "cache_control" not in p, p


def anthropic_thinking(s):
    t = run(s, "[[say x]]", "anthropic-direct", "thinker")
    equal(t["status"], "completed", "status")
    b = sent(s, "/v1/messages")[-1]
    equal(list(b), ["model", "max_tokens", "system", "messages", "tools", "stream", "thinking"], "keys")
    equal((b["max_tokens"], b["thinking"], b["model"]), (8192 + 2000, {"type": "enabled", "budget_tokens": 2000}, "claude-opus-4-6"), "thinking")
    equal(list(b["thinking"]), ["type", "budget_tokens"], "keys of thinking")
    run(s, "[[say x]]", "anthropic-direct", "thinks-little")
    b = sent(s, "/v1/messages")[-1]
    equal((b["max_tokens"], b["thinking"]["budget_tokens"]), (8192 + 1024, 1024), "a budget below the least")


def anthropic_assist(s):
    status, got = s.api("POST", "/api/tasks/assist", {"title": '[[say {"a": 1}]]', "assignedAgent": "anthropic-direct"})
    equal((status, got), (200, {"a": 1}), "assist")
    b = sent(s, "/v1/messages")[-1]
    equal(list(b), ["model", "max_tokens", "system", "messages", "stream"], "keys")
    equal((b["max_tokens"], b["stream"], len(b["messages"])), (2048, False, 1), "scalars")
    s.ok("POST", "/api/settings/test", {"runtime": "anthropic-direct"})
    b = sent(s, "/v1/messages")[-1]
    equal((b["max_tokens"], b["messages"], b.get("stream", False)), (1, [{"role": "user", "content": "ping"}], False), "probe")


# openai-direct

def openai(s):
    t, bodies = run_three(s, "openai-direct")
    keys = ["model", "instructions", "input", "previous_response_id", "tools", "store", "stream"]
    for n, b in enumerate(bodies):
        equal(list(b), [k for k in keys if n or k != "previous_response_id"], "keys")
        equal((b["model"], b["store"], b["stream"]), ("gpt-4.1", True, True), "scalars")
    equal(len({b["instructions"] for b in bodies}), 1, "instructions of a run")
    assert bodies[0]["instructions"].count("Answer.") == 1, bodies[0]["instructions"]
    equal(bodies[0]["input"], [{"role": "user", "content": [{"type": "input_text", "text": THREE}]}], "first input")
    tools = bodies[0]["tools"]
    equal(tools[-1], {"type": "web_search_preview"}, "server tool")
    for tool in tools[:-1]:
        equal(list(tool), ["type", "name", "description", "parameters", "strict"], "tool")
        equal((tool["type"], tool["strict"]), ("function", False), "tool")
    check_tools(tools[:-1], "parameters")
    ids = [json.loads(p)["responseId"] for p, in sql(s,
        "SELECT payload FROM agent_logs WHERE task_id = ? AND event = 'openai_response_id' ORDER BY rowid", t["id"])]
    equal([b["previous_response_id"] for b in bodies[1:]], ids[:3], "the response before")
    items = json.loads(snapshots(s, t["id"])[-1])["items"]
    calls = [i for i in items if i.get("type") == "function_call"]
    equal([len(b["input"]) for b in bodies[1:]], [3, 1, 1], "only what is new")
    new = [i for b in bodies[1:] for i in b["input"]]
    equal([list(i) for i in new], [["type", "call_id", "output"]] * 5, "outputs")
    equal([i["type"] for i in new], ["function_call_output"] * 5, "outputs")
    equal([i["call_id"] for i in new], [c["call_id"] for c in calls], "outputs in order")
    equal([json.loads(i["output"]) for i in new[2:]], [UNKNOWN_WORDS, POLICY_WORDS, USER_WORDS], "errors")
    for i in new:
        assert isinstance(i["output"], str), i


def openai_server_tools(s):
    t = run(s, "[[say x]]", "openai-direct", "thinker")
    equal(t["status"], "completed", "status")
    b = sent(s, "/responses")[-1]
    equal([x for x in b["tools"] if x["type"] != "function"],
        [{"type": "code_interpreter", "container": {"type": "auto"}}, {"type": "image_generation"}], "server tools")


def openai_assist(s):
    status, got = s.api("POST", "/api/tasks/assist", {"title": '[[say {"a": 1}]]', "assignedAgent": "openai-direct"})
    equal((status, got), (200, {"a": 1}), "assist")
    b = sent(s, "/responses")[-1]
    equal((b["max_output_tokens"], b["stream"], b.get("tools")), (2048, False, None), "assist")
    s.ok("POST", "/api/settings/test", {"runtime": "openai-direct"})
    b = sent(s, "/responses")[-1]
    equal((b["model"], b["input"], b["max_output_tokens"]), ("gpt-4.1-mini", "ping", 16), "probe")


# ollama

def ollama(s):
    setting(s, "ollama.baseUrl", s.fake + "/")
    t, bodies = run_three(s, "ollama")
    for b in bodies:
        equal(list(b), ["model", "messages", "tools", "stream", *(["options"] if "options" in b else [])], "keys")
        equal((b["model"], b["stream"]), ("llama3.2", True), "scalars")
        equal([m["role"] for m in b["messages"]].count("system"), 1, "system messages")
        big = len(json.dumps(b)) / 3 > 4096
        equal(b.get("options"), {"num_ctx": 16384} if big else None, "options")
    tools = bodies[0]["tools"]
    equal([list(x) for x in tools], [["type", "function"]] * len(tools), "tools")
    equal({x["type"] for x in tools}, {"function"}, "tools")
    equal([list(x["function"]) for x in tools], [["name", "description", "parameters"]] * len(tools), "tools")
    assert {x["function"]["name"] for x in tools} <= set(OLLAMA_TOOLS), tools
    check_tools([x["function"] for x in tools], "parameters")
    equal([len(b["messages"]) for b in bodies], [2, 6, 8, 10], "lengths")
    for one, two in zip(bodies, bodies[1:]):
        equal(two["messages"][:len(one["messages"])], one["messages"], "what was said before")
    last = bodies[3]["messages"]
    equal([m["role"] for m in last], ["system", "user", "assistant", "tool", "tool", "tool", "assistant", "tool", "assistant", "tool"], "roles")
    equal([list(m) for m in last[:6]], [["role", "content"]] * 2 + [["role", "content", "tool_calls"]] + [["role", "tool_name", "content"]] * 3, "keys")
    equal(text_of(last[2]["tool_calls"]), '[{"function": {"name": "list_projects", "arguments": {"z": 1, "a": 2}}}, '
        '{"function": {"name": "list_tasks", "arguments": {}}}, {"function": {"name": "no_such_tool", "arguments": {"q": "é"}}}]', "calls")
    equal([m["tool_name"] for m in last if m["role"] == "tool"], ["list_projects", "list_tasks", "no_such_tool", "list_notifications",
            "create_project"], "results in order")
    equal([json.loads(last[i]["content"]) for i in (5, 7, 9)], [UNKNOWN_WORDS, POLICY_WORDS, USER_WORDS], "errors")
    for _ in range(8):
        s.ok("POST", "/api/tasks", {"title": "w" * 190, "description": "wide " * 390})
    run(s, "[[tool list_tasks {}]] [[say x]]", "ollama", "wire")
    equal(sent(s, "/api/chat")[-1]["options"], {"num_ctx": 16384}, "room for a long prompt")
    setting(s, "ollama.baseUrl", s.fake)


def ollama_assist(s):
    status, got = s.api("POST", "/api/tasks/assist", {"title": '[[say {"a": 1}]]', "assignedAgent": "ollama"})
    equal((status, got), (200, {"a": 1}), "assist")
    b = sent(s, "/api/chat")[-1]
    equal((b["format"], "tools" in b), ("json", False), "assist")


# Repetitions and what the fake provider cannot play

def repeated(s, runtime):
    """A 429 is repeated after the time it names, with the same bytes."""
    answers = {"anthropic-direct": anthropic_answer("end_turn", {"type": "text", "text": "fine"}),
               "openai-direct": openai_answer("resp_1", [openai_text("fine")]), "ollama": ollama_answer("stop", "fine")}
    bodies = play(s, runtime, "A task — with “more” than ASCII", "fine", (429, {"retry-after": "1"}, b'{"error":{"type":"rate_limit_error","message":"slow down"}}'),
        (529, {"retry-after-ms": "30"}, b"no JSON"), answers[runtime])
    equal(len(bodies), 3, "requests")
    raw = [g[2] for g in Provider.got]
    assert raw[0] == raw[1] == raw[2], raw
    heads = [{k: v for k, v in g[1].items()} for g in Provider.got]
    assert heads[0] == heads[1] == heads[2], heads
    pauses = [b[3] - a[3] for a, b in zip(Provider.got, Provider.got[1:])]
    assert 1 <= pauses[0] < 5 and 0.03 <= pauses[1] < 1, pauses


def not_repeated(s, runtime):
    """Other refusals end the run at once."""
    Provider.script[:], Provider.got[:] = [(400, {}, b'{"error":{"type":"invalid_request_error","message":"no"}}')], []
    t = run(s, "x", runtime, "wire")
    equal((t["status"], len(Provider.got)), ("failed", 1), "a 400")
    Provider.script[:], Provider.got[:] = [(429, {"retry-after": "61"}, b'{"error":{"type":"rate_limit_error","message":"no"}}')], []
    began = time.time()
    t = run(s, "x", runtime, "wire")
    equal((t["status"], len(Provider.got)), ("failed", 1), "a 429 with a long wait")
    assert time.time() - began < 20


def play(s, runtime, text, result, *script):
    """Runs TEXT against SCRIPT, to the RESULT; the bodies that were sent."""
    Provider.script[:], Provider.got[:] = list(script), []
    t = run(s, text, runtime, "wire")
    equal((t["status"], t["result"], len(Provider.script)), ("completed", result, 0), "the run")
    return [json.loads(g[2]) for g in Provider.got]


def anthropic_cut(s):
    text = lambda t: {"type": "text", "text": t}
    use = lambda id_, input_={}: {"type": "tool_use", "id": id_, "name": "list_projects", "input": input_}
    bodies = play(s, "anthropic-direct", "x", "one two three", anthropic_answer("max_tokens", text("one ")),
        anthropic_answer("max_tokens", text("two "), use("toolu_cut", '{"a": [1,')), anthropic_answer("end_turn", text("three")))
    equal([m["role"] for m in bodies[2]["messages"]], ["user", "assistant"] * 2 + ["user"], "roles")
    equal([[bare(x) for x in m["content"]] for m in bodies[2]["messages"][1:]],
        [[text("one ")], [text(GO_ON)], [text("two ")], [text(GO_ON)]], "a cut answer and the word to go on")

    thinking = {"type": "thinking", "thinking": "Hm…", "signature": "c2ln"}
    hidden = {"type": "redacted_thinking", "data": "ZGF0YQ"}
    bodies = play(s, "anthropic-direct", "x", "done", anthropic_answer("max_tokens", thinking, hidden, text(""), text("See."), use("toolu_1")),
        anthropic_answer("pause_turn", text("Wait. ")), anthropic_answer("end_turn", text("done")))
    turn, results = bodies[1]["messages"][1:]
    equal(turn, {"role": "assistant", "content": [thinking, hidden, text("See."), use("toolu_1")]}, "the turn as it came")
    equal([x["tool_use_id"] for x in results["content"]], ["toolu_1"], "a whole call of a cut answer is run")
    equal([m["role"] for m in bodies[2]["messages"]], ["user", "assistant", "user", "assistant"], "a pause goes on with the turn last")
    for b in bodies:
        check_marks(b)

    bodies = play(s, "anthropic-direct", "x", "done", anthropic_answer("tool_use", use("toolu_bad", "{nonsense"), use("toolu_2")),
        anthropic_answer("end_turn", text("done")))
    equal(bodies[1]["messages"][1]["content"][0]["input"], {}, "arguments that are no JSON go back as {}")
    results = bodies[1]["messages"][2]["content"]
    equal([(x["tool_use_id"], x.get("is_error", False)) for x in results], [("toolu_bad", True), ("toolu_2", False)], "their result")


def openai_cut(s):
    bodies = play(s, "openai-direct", "x", "one two", openai_answer("resp_1", [openai_text("one ")], "max_output_tokens"),
        openai_answer("resp_2", [openai_text("two")]))
    equal((bodies[1]["previous_response_id"], bodies[1]["input"]), ("resp_1", [{"role": "user", "content": [{"type": "input_text", "text": GO_ON}]}]),
        "after a cut answer")
    bodies = play(s, "openai-direct", "x", "done",
        openai_answer("resp_1", [openai_text("one "), openai_call("call_1", "list_projects")], "max_output_tokens"), openai_answer("resp_2", [openai_text("done")]))
    equal([(i.get("type"), i.get("call_id")) for i in bodies[1]["input"]][:1], [("function_call_output", "call_1")], "a whole call of a cut answer")
    bodies = play(s, "openai-direct", "x", "done", openai_answer("resp_1", [openai_call("call_1", "list_projects", "[1"), openai_call("call_2",
                    "list_projects", "")]), openai_answer("resp_2", [openai_text("done")]))
    equal([json.loads(i["output"]) for i in bodies[1]["input"]][0], {"error": "Invalid arguments: not JSON"}, "arguments that are no JSON")


def openai_lost(s):
    """Where the provider has lost the response, everything is sent again, but for the reasoning that went with it."""
    thought = {"type": "reasoning", "id": "rs_1", "summary": []}
    call = openai_call("call_1", "list_projects")
    lost = 400, {}, b'{"error":{"message":"Previous response not found","type":"invalid_request_error","param":"previous_response_id","code":"previous_response_not_found"}}'
    bodies = play(s, "openai-direct", "x", "done", openai_answer("resp_1", [thought, call]), lost, openai_answer("resp_2", [openai_text("done")]))
    again = bodies[2]
    assert "previous_response_id" not in again, again
    equal(again["input"], [{"role": "user", "content": [{"type": "input_text", "text": "x"}]}, call, *bodies[1]["input"]], "all items")


def openai_plain(s):
    """A model without a server tool is asked once more without."""
    refused = 400, {}, b'{"error":{"message":"Hosted tool \'web_search_preview\' is not supported with m.","type":"invalid_request_error","param":"tools","code":null}}'
    bodies = play(s, "openai-direct", "x", "done", refused, openai_answer("resp_1", [openai_text("done")]))
    equal([[t["type"] for t in b["tools"] if t["type"] != "function"] for b in bodies], [["web_search_preview"], []], "server tools")


def ollama_cut(s):
    call = [{"id": "call_9", "function": {"name": "list_projects", "arguments": '{"a": 1}'}}]
    bodies = play(s, "ollama", "x", "one two", ollama_answer("length", "one "), ollama_answer("stop", "two"))
    equal(bodies[1]["messages"][2:], [{"role": "assistant", "content": "one "}, {"role": "user", "content": GO_ON}], "after a cut answer")
    bodies = play(s, "ollama", "x", "done", ollama_answer("stop", "Hm. ", call, "secret thoughts"), ollama_answer("stop", "done"))
    turn = bodies[1]["messages"][2]
    equal(turn, {"role": "assistant", "content": "Hm. ", "tool_calls": [{"function": {"name": "list_projects", "arguments": {"a": 1}}}]},
        "thinking is not sent back, arguments are an object")
    none = 400, {}, b'{"error":"registry.ollama.ai/library/m does not support tools"}'
    bodies = play(s, "ollama", "x", "done", none, ollama_answer("stop", "done"))
    equal([("tools" in b, b["stream"]) for b in bodies], [(True, True), (False, True)], "a model without tools")
    play(s, "ollama", "x", "fine", (200, {}, b'{"model":"m","message":{"role":"assistant","content":"fine"},"done":true}\n'))
    equal(sql(s, "SELECT input_tokens, output_tokens, cost_micros, pricing_version FROM usage_ledger ORDER BY rowid DESC LIMIT 1"),
        [(None, None, 0, "local")], "what was not counted is free all the same")


def last_words(s):
    """The result is the text of the last turn that had any; cut turns are joined, also behind a turn with calls."""
    call = {"type": "tool_use", "id": "toolu_1", "name": "list_projects", "input": {}}
    words = lambda stop, text, *more: anthropic_answer(stop, *([{"type": "text", "text": text}] if text else []), *more)
    play(s, "anthropic-direct", "x", "Let me look.", words("tool_use", "Let me look.", call), words("end_turn", ""))
    play(s, "anthropic-direct", "x", "one two", words("max_tokens", "one "), words("tool_use", "two", call), words("end_turn", ""))
    play(s, "anthropic-direct", "x", "two three", words("tool_use", "one ", call), words("max_tokens", "two "), words("end_turn", "three"))
    play(s, "openai-direct", "x", "Let me look.", openai_answer("resp_1", [openai_text("Let me look."), openai_call("call_1", "list_projects")]),
        openai_answer("resp_2", []))
    play(s, "ollama", "x", "Let me look.", ollama_answer("stop", "Let me look.", [{"function": {"name": "list_projects", "arguments": {}}}]),
        ollama_answer("stop", ""))


def same_ids(s):
    """Calls whose ids were used before, in the turn or in an earlier one, are calls of their own."""
    use = lambda name: {"type": "tool_use", "id": "call_0", "name": name, "input": {}}
    bodies = play(s, "anthropic-direct", "x", "done", anthropic_answer("tool_use", use("list_projects")),
        anthropic_answer("tool_use", use("list_notifications")), anthropic_answer("end_turn", {"type": "text", "text": "done"}))
    equal([json.loads(b["messages"][-1]["content"][0]["content"][0]["text"]) for b in bodies[1:]], [[], POLICY_WORDS], "results")
    bodies = play(s, "openai-direct", "x", "done", openai_answer("resp_1", [openai_call("call_0", "list_projects"),
                openai_call("call_0", "list_notifications")]), openai_answer("resp_2", [openai_text("done")]))
    equal([json.loads(i["output"]) for i in bodies[1]["input"]], [[], POLICY_WORDS], "results")


def attempt(c, name, part, *args):
    """A part whose assertion does not hold is one failure."""
    try:
        part(*args)
        c(name, True)
    except (AssertionError, KeyError, IndexError) as e:
        c(name, False, f"{type(e).__name__} {e}"[:2000])


def scripted(c):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Provider)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    at = f"http://127.0.0.1:{server.server_port}"
    with Stack(env={"ANTHROPIC_BASE_URL": at + "/", "OPENAI_BASE_URL": at + "/v1/"}) as s:
        profile(s, "wire")
        setting(s, "ollama.baseUrl", at)
        for part in (anthropic_cut, openai_cut, openai_lost, openai_plain, ollama_cut, last_words, same_ids):
            attempt(c, part.__name__, part, s)
        for runtime in PATHS:
            attempt(c, f"{runtime}: repeated with the same bytes", repeated, s, runtime)
            attempt(c, f"{runtime}: not repeated", not_repeated, s, runtime)
    server.shutdown()


def test(c):
    with Stack() as s:
        profile(s, "wire")
        profile(s, "thinker", "capabilityOverrides:\n  anthropic-direct:\n    modelId: claude-opus-4-6\n    extendedThinking:\n      enabled: true\n"
            "      budgetTokens: 2000\n  openai-direct:\n    serverTools:\n      code_interpreter: true\n      file_search: true\n      image_generation: true\n")
        profile(s, "thinks-little", "capabilityOverrides:\n  anthropic-direct:\n    extendedThinking:\n      enabled: true\n      budgetTokens: 500\n")
        for part in (anthropic, anthropic_thinking, anthropic_assist, openai, openai_server_tools, openai_assist, ollama, ollama_assist):
            attempt(c, part.__name__, part, s)
    scripted(c)


if __name__ == "__main__":
    main(test)
