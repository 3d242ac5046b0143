"""Other programs' agents: stagent-mcp, spoken to over its pipe beside a whole Stagent, by a client of our own and by the real
Claude Code and Codex (installed from npm, their models played by the fake provider)."""
import json, os, signal, subprocess, threading, time, uuid

import programs
from stack import KEY, Stack, die_with_parent, main

REVISIONS = ("2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25")
RUN_ONLY = ("AskUserQuestion", "write_output_file")


class Client:
    """A client that reads answers as they come, by id; what has no id or cannot be read is in `others`."""

    def __init__(self, s, name="tester", revision="2025-06-18", hello=True, **options):
        more = [x for k, v in options.items() for x in ("-o", f"{k.replace('__', '.')}={v}")]
        self.log = open(s.logs / "mcp.log", "ab")
        self.p = subprocess.Popen([str(s.build / "stagent-mcp"), *s._options(), *more], stdin=subprocess.PIPE,
                                  stdout=subprocess.PIPE, stderr=self.log, env=s.environment(), cwd=s.root / "cwd",
                                  preexec_fn=die_with_parent)
        self.answers, self.others, self.n, self.news = {}, [], 0, threading.Condition()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        if hello:
            self.hello(name, revision)

    def _read(self):
        for line in self.p.stdout:
            try:
                got = json.loads(line)
            except ValueError:
                got = line
            with self.news:
                if isinstance(got, dict) and got.get("id") is not None:
                    self.answers[got["id"]] = got
                else:
                    self.others.append(got)
                self.news.notify_all()

    def raw(self, data):
        self.p.stdin.write(data)
        self.p.stdin.flush()

    def send(self, method, params=None, id=None):
        m = {"jsonrpc": "2.0", "method": method, **({"params": params} if params is not None else {})}
        if id is not None:
            m["id"] = id
        self.raw(json.dumps(m).encode() + b"\n")

    def ask(self, method, params=None):
        """Sends a request; its id."""
        self.n += 1
        self.send(method, params, self.n)
        return self.n

    def answer(self, id, timeout=15):
        """The answer to the request ID, None if there is none in time."""
        with self.news:
            self.news.wait_for(lambda: id in self.answers, timeout)
            return self.answers.get(id)

    def other(self, n=1, timeout=30):
        """The Nth answer without an id."""
        with self.news:
            self.news.wait_for(lambda: len(self.others) >= n, timeout)
            return self.others[n - 1] if len(self.others) >= n else None

    def request(self, method, params=None, timeout=15):
        return self.answer(self.ask(method, params), timeout)

    def hello(self, name, revision):
        got = self.request("initialize", {"protocolVersion": revision, "capabilities": {},
                                          "clientInfo": {"name": name, "version": "1"}})
        self.send("notifications/initialized")
        return got

    def begin(self, tool, arguments=None):
        return self.ask("tools/call", {"name": tool, **({} if arguments is None else {"arguments": arguments})})

    def result(self, id, timeout=15):
        """(what the tool gave, whether that is an error) of a call."""
        got = self.answer(id, timeout)
        if not got or "result" not in got:
            return got, None
        text, = got["result"]["content"]
        return json.loads(text["text"]), got["result"]["isError"]

    def call(self, tool, arguments=None):
        return self.result(self.begin(tool, arguments))

    def end(self, timeout=10):
        """Ends its input; the exit status."""
        try:
            self.p.stdin.close()
        except BrokenPipeError:
            pass
        return self.gone(timeout)

    def gone(self, timeout=10):
        try:
            status = self.p.wait(timeout)
        except subprocess.TimeoutExpired:
            self.p.kill()
            self.p.wait()
            status = "killed by the test"
        self.reader.join(5)
        self.p.stdout.close()
        self.log.close()
        return status


def code(got):
    return (got or {}).get("error", {}).get("code")


def negotiation(check, s):
    for wanted, agreed in [(r, r) for r in REVISIONS] + [("2030-01-01", "2025-06-18"), ("rubbish", "2025-06-18")]:
        c = Client(s, hello=False)
        got = c.hello("tester", wanted)
        check.equal(f"revision {wanted}", got["result"]["protocolVersion"], agreed)
        check.equal(f"{wanted}: capabilities", got["result"]["capabilities"], {"tools": {}})
        check.equal(f"{wanted}: name", got["result"]["serverInfo"]["name"], "stagent")
        check.equal(f"{wanted}: ping", c.request("ping"), {"jsonrpc": "2.0", "id": 2, "result": {}})
        check.equal(f"{wanted}: ends with its input", c.end(), 0)
        check.equal(f"{wanted}: nothing else was said", c.others, [])


def offered(check, s):
    """The tools are those that a run gets, but for the two that need one."""
    task = s.start_task("T", "[[say Done.]]")
    s.wait_task(task)
    sent = next(e["json"] for e in s.provider_log() if e["path"].endswith("/messages") and e["json"].get("tools"))
    want = [(t["name"], t["description"], t["input_schema"]) for t in sent["tools"] if "input_schema" in t
            and t["name"] not in RUN_ONLY]
    c = Client(s)
    got = [(t["name"], t["description"], t["inputSchema"]) for t in c.request("tools/list")["result"]["tools"]]
    check.equal("the list is the catalogue", got, want)
    check("it is not empty", len(got) > 10, len(got))
    check.equal("a cursor changes nothing", len(c.request("tools/list", {"cursor": "x"})["result"]["tools"]), len(got))
    for tool in RUN_ONLY:
        check.equal(f"{tool} cannot be called", code(c.request("tools/call", {"name": tool, "arguments": {}})), -32602)
    c.end()


def audits(s, actor):
    return [(r["op"], r["subject"], r["detail"]) for r in
            s.rows("SELECT op, subject, detail FROM audit WHERE actor = ? ORDER BY id", actor)]


def calls(check, s):
    c = Client(s, "a client")
    project, bad = c.call("create_project", {"name": "From outside"})
    check.equal("a project is made", (project.get("name"), bad), ("From outside", False))
    check("it is in the API", any(p["id"] == project["id"] for p in s.ok("GET", "/api/projects")))
    check.equal("and in the audit", audits(s, "mcp:a-client"), [("project.create", project["id"], None),
                                                              ("tool.call", "create_project", "ok")])
    task, bad = c.call("create_task", {"title": "T", "projectId": project["id"], "unknown": 1})
    check.equal("a task is made", s.ok("GET", f"/api/tasks/{task['id']}")["projectId"], project["id"])
    listed, bad = c.call("list_projects")
    check.equal("it is listed without arguments", [p["taskCount"] for p in listed if p["id"] == project["id"]], [1])
    profiles, bad = c.call("list_profiles")
    check("a tool that reads files", not bad and any(p["id"] == "general" for p in profiles), profiles)

    sent, bad = c.call("send_handoff", {"toProfile": "researcher", "subject": "S", "body": "B", "requiresApproval": True})
    row = s.ok("GET", f"/api/handoffs/{sent.get('messageId')}")
    check.equal("a handoff is sent for the default profile", (bad, sent["from"], row["fromProfileId"], row["taskId"], row["status"]),
                (False, "general", "general", None, "pending"))
    s.ok("PATCH", f"/api/handoffs/{row['id']}", {"action": "reject"})

    got, bad = c.call("create_task", {"title": "", "priority": "x"})
    check.equal("invalid arguments", (got["error"].startswith("Invalid arguments: title: "), bad), (True, True))
    got, bad = c.call("get_task", {"taskId": "none"})
    check.equal("a tool's failure", (got, bad), ({"error": "Task not found: none"}, True))
    got, bad = c.call("execute_task", {})
    check.equal("an invalid call asks nobody", (got["error"].startswith("Invalid arguments: taskId: "), bad), (True, True))
    check.equal("no request is open", s.ok("GET", "/api/notifications/pending-approvals"), [])
    for params in ({"name": "nothing"}, {}, {"name": 5}, {"name": "list_tasks", "arguments": []}):
        check.equal(f"call of {params}", code(c.request("tools/call", params)), -32602)
    check.equal("unknown method", code(c.request("resources/list")), -32601)
    check.equal("still there", c.request("ping")["result"], {})
    check.equal("it ends", c.end(), 0)
    check("every call is in the audit", [a for a in audits(s, "mcp:a-client") if a[1] == "get_task"]
          == [("tool.call", "get_task", "error")])


def rubbish(check, s):
    c = Client(s)
    lines = [(b"rubbish\n", -32700), (b"\xff\xfe\n", -32700), (b'{"jsonrpc":"2.0","id":1,"method":"ping"\0}\n', -32700),
             (b"[" * 70 + b"]" * 70 + b"\n", -32700), (b"[]\n", -32600), (b"{}\n", -32600), (b'"x"\n', -32600),
             (b'{"jsonrpc":"2.0","id":{},"method":"ping"}\n', -32600)]
    for n, (line, want) in enumerate(lines, 1):
        c.raw(line)
        got = c.other(n)
        check.equal(f"rubbish {line[:30]}", (code(got), got and got["id"]), (want, None))
    c.raw(b"\n  \r\n\n")
    c.raw(b'{"jsonrpc":"2.0","id":"cr","method":"ping"}\r\n')
    check.equal("blank lines and CR", c.answer("cr")["result"], {})
    for byte in b'{"jsonrpc":"2.0","id":"slow","method":"ping"}\n':
        c.raw(bytes([byte]))
    check.equal("a byte at a time", c.answer("slow")["result"], {})
    c.raw(b"".join(b'{"jsonrpc":"2.0","id":"m%d","method":"ping"}\n' % i for i in range(3000)))
    check("many at once", all(c.answer(f"m{i}") for i in range(3000)))
    c.raw(b'{"jsonrpc":"2.0","id":"late","method":"ping"}')
    c.p.stdin.close()
    check.equal("the last line needs no end", c.answer("late")["result"], {})
    check.equal("it ends", c.gone(), 0)


def large(check, s):
    c = Client(s)
    c.raw(b'{"jsonrpc":"2.0","id":"big","method":"ping","params":{"x":"' + b"y" * (40 << 20) + b'"}}\n')
    check.equal("a line of 40 MB", code(c.other(1)), -32600)
    check.equal("and the next one", c.request("ping")["result"], {})
    c.raw(b'{"jsonrpc":"2.0","id":"fits","method":"ping","params":{"x":"' + b"y" * (31 << 20) + b'"}}\n')
    check.equal("a line of 31 MB", (c.answer("fits", 30) or {}).get("result"), {})
    check.equal("one report each", len(c.others), 1)
    check.equal("it ends", c.end(), 0)


def slow_reader(check, s):
    """A client that does not read stops being read; nothing is lost."""
    n = 400
    p = subprocess.Popen([str(s.build / "stagent-mcp"), *s._options()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=s.environment(), preexec_fn=die_with_parent)
    text = b"".join(b'{"jsonrpc":"2.0","id":%d,"method":"tools/list"}\n' % i for i in range(n))
    feed = threading.Thread(target=lambda: (p.stdin.write(text), p.stdin.close()))
    feed.start()
    time.sleep(1)
    held = int(next(x for x in open(f"/proc/{p.pid}/status") if x.startswith("VmRSS")).split()[1])
    got = [json.loads(x)["id"] for x in p.stdout]
    feed.join()
    check.equal("all answers, in order", got, list(range(n)))
    check.equal("it ends", p.wait(10), 0)
    check("it held little meanwhile", s.sanitized or held < 40000, f"{held} KiB")
    p.stdout.close()


def pending(s, n=1):
    """The N open requests, oldest first."""
    got = s.until(lambda: s.ok("GET", "/api/notifications/pending-approvals"), lambda x: x is not None and len(x) == n, 5)
    assert len(got) == n, got
    return sorted(got, key=lambda r: json.dumps(r["toolInput"]))


def stored(s, id):
    row, = s.rows("SELECT * FROM notifications WHERE id = ?", id)
    return row


def respond(s, id, behavior, **more):
    s.ok("POST", "/api/tasks/_request/respond", {"notificationId": id, "behavior": behavior, **more})


def ctl(s, *args):
    p = subprocess.run([str(s.build / "stagentctl"), *s._options(), *args], capture_output=True, text=True, timeout=20,
                       env=s.environment())
    return p.returncode, p.stdout + p.stderr


def gated(check, s):
    c = Client(s, "gate")
    task = s.ok("POST", "/api/tasks", {"title": "Run me", "description": "[[say Ran.]]", "assignedAgent": "anthropic-direct"})["id"]
    id = c.begin("execute_task", {"taskId": task})
    asked, = pending(s)
    row = stored(s, asked["notificationId"])
    check.equal("the request", {k: row[k] for k in ("task_id", "type", "title", "body", "tool_name", "tool_input", "read")},
                {"task_id": None, "type": "permission_required", "title": "Permission required: execute_task",
                 "body": json.dumps({"taskId": task}, separators=(",", ":")), "tool_name": "execute_task",
                 "tool_input": json.dumps({"taskId": task}, separators=(",", ":")), "read": 0})
    check.equal("others are served meanwhile", c.request("ping")["result"], {})
    check.equal("also other calls", c.call("list_tasks", {"status": "running"}), ([], False))
    check.equal("nobody ran it", s.ok("GET", f"/api/tasks/{task}")["status"], "planned")
    status, out = ctl(s, "approvals")
    check("the operator's program shows it, and from whom", status == 0 and asked["notificationId"] in out
          and "from   mcp:gate" in out, out)
    respond(s, asked["notificationId"], "allow")
    began = time.time()
    got, bad = c.result(id)
    check.equal("allowed: it runs", (got, bad), ({"message": "Execution started", "taskId": task,
                                                 "runtime": "anthropic-direct"}, False))
    check("soon after the answer", time.time() - began < 3, time.time() - began)
    check.equal("the runner was told", s.wait_task(task)["result"], "Ran.")
    check.equal("asking, executing and calling are in the audit", [a[0] for a in audits(s, "mcp:gate")],
                ["approval.ask", "tool.call", "task.update", "task.execute", "tool.call"])

    id = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    check.equal("denied by the operator's program", ctl(s, "approvals", "deny", asked["notificationId"], "Not today")[1],
                "denied\n")
    check.equal("the model is told", c.result(id), ({"error": "Not today"}, True))
    id = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    respond(s, asked["notificationId"], "deny")
    check.equal("denied without words", c.result(id), ({"error": "Tool denied by user"}, True))
    id = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    s.ok("DELETE", f"/api/notifications/{asked['notificationId']}")
    check.equal("dismissed", c.result(id), ({"error": "Permission request dismissed"}, True))
    check.equal("nothing was set", s.rows("SELECT value FROM settings WHERE key = 'routing.preference'"), [])

    id = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    respond(s, asked["notificationId"], "allow", updatedInput={"key": "routing.preference", "value": "quality"})
    check.equal("allowed with a change", c.result(id), ({"key": "routing.preference", "oldValue": "(unset)",
                                                        "newValue": "quality"}, False))
    id = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    check.equal("allowed for good, by the operator's program", ctl(s, "approvals", "allow", asked["notificationId"],
                                                                  "always")[1], "allowed\n")
    check.equal("it runs", c.result(id)[1], False)
    check.equal("a saved pattern asks nobody", c.call("set_settings", {"key": "routing.preference", "value": "latency"}),
                ({"key": "routing.preference", "oldValue": "cost", "newValue": "latency"}, False))
    s.ok("DELETE", "/api/permissions", {"pattern": "set_settings"})
    check.equal("it ends", c.end(), 0)


def governance(check, s):
    """An agent cannot answer for the operator, whoever's the request is."""
    c = Client(s, "sly")
    s.ok("POST", "/api/permissions", {"pattern": "respond_notification"})
    task = s.start_task("T", "[[tool create_project {\"name\":\"X\"}]]")
    theirs = s.wait_request(task)["notificationId"]
    own = c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    mine = next(r["notificationId"] for r in pending(s, 2) if r["taskId"] is None)
    for what, id in (("a task's", theirs), ("its own", mine)):
        check.equal(f"{what} request", c.call("respond_notification", {"notificationId": id, "behavior": "allow"}),
                    ({"error": "Permission requests are answered by the operator"}, True))
        check.equal(f"{what} request stays open", stored(s, id)["response"], None)
    respond(s, mine, "deny")
    check.equal("the operator can", c.result(own)[1], True)
    s.ok("POST", f"/api/tasks/{task}/cancel")
    s.ok("DELETE", "/api/permissions", {"pattern": "respond_notification"})
    check.equal("it ends", c.end(), 0)


def waits(check, s):
    setting = lambda value: {"key": "routing.preference", "value": value}
    before = s.rows("SELECT value FROM settings WHERE key = 'routing.preference'")
    answer = lambda id: json.loads(stored(s, id)["response"])

    c = Client(s, "brief", mcp__permission_timeout=1)
    id = c.begin("set_settings", setting("cost"))
    asked, = pending(s)
    check.equal("timed out", c.result(id), ({"error": "Permission request timed out"}, True))
    check.equal("the request is closed", (answer(asked["notificationId"]), stored(s, asked["notificationId"])["read"]),
                ({"behavior": "deny", "message": "Permission request timed out"}, 1))
    check.equal("a late answer", s.api("POST", "/api/tasks/_/respond", {"notificationId": asked["notificationId"],
                                                                       "behavior": "allow"})[0], 409)
    c.end()

    c = Client(s, "two")
    one, two = c.begin("set_settings", setting("cost")), c.begin("set_settings", setting("quality"))
    first, second = pending(s, 2)
    c.send("notifications/cancelled", {"requestId": one, "reason": "x"})
    check("a cancelled call's request is closed", s.until(lambda: stored(s, first["notificationId"])["response"], bool, 5))
    check.equal("and only that", stored(s, second["notificationId"])["response"], None)
    c.send("notifications/cancelled", {"requestId": 999})
    respond(s, second["notificationId"], "deny", message="No")
    check.equal("the other one is answered", c.result(two), ({"error": "No"}, True))
    check.equal("a cancelled call has no answer", c.answer(one, 0.5), None)

    got, bad = c.call("set_settings", setting("x" * (300 << 10)))
    check.equal("too much to ask about", (got, bad), ({"error": "The arguments are too large to ask the operator"}, True))
    many = [c.begin("set_settings", setting("cost")) for _ in range(33)]
    check.equal("33 at a time are too many", c.result(many[-1]), ({"error": "Too many calls wait for the operator"}, True))
    check.equal("what cannot be asked is in the audit, too", audits(s, "mcp:two").count(("tool.call", "set_settings",
                                                                                       "refused")), 2)
    check.equal("it ends with its input while calls wait", c.end(), 0)
    check.equal("all are closed", s.one("SELECT count(*) FROM notifications WHERE task_id IS NULL AND response IS NULL"), 0)
    check.equal("and answered", c.result(many[0], 1), ({"error": "The client has gone"}, True))

    for name, sig in (("SIGTERM", signal.SIGTERM), ("SIGINT", signal.SIGINT)):
        c = Client(s, "told")
        c.begin("set_settings", setting("cost"))
        asked, = pending(s)
        c.p.send_signal(sig)
        check.equal(f"{name} ends it", c.gone(), 0)
        check.equal(f"{name} closes the request", answer(asked["notificationId"])["behavior"], "deny")
        c.p.stdin.close()

    p = subprocess.Popen([str(s.build / "stagent-mcp"), *s._options()], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                         env=s.environment(), preexec_fn=die_with_parent)
    p.stdin.write(json.dumps({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {
        "name": "set_settings", "arguments": setting("cost")}}).encode() + b"\n")
    p.stdin.flush()
    asked, = pending(s)
    p.stdout.close()
    check.equal("a client that reads no more", p.wait(10), 0)
    check.equal("its request is closed", answer(asked["notificationId"])["behavior"], "deny")
    p.stdin.close()
    check.equal("nothing was set", s.rows("SELECT value FROM settings WHERE key = 'routing.preference'"), before)


def killed(check, s):
    """What a killed client leaves open is closed once it is older than the longest wait."""
    c = Client(s, "killed")
    c.begin("set_settings", {"key": "routing.preference", "value": "cost"})
    asked, = pending(s)
    c.p.kill()
    c.gone()
    c.p.stdin.close()
    check.equal("it stays open", stored(s, asked["notificationId"])["response"], None)
    Client(s).end()
    check.equal("while somebody could wait", stored(s, asked["notificationId"])["response"], None)
    checkpoint = str(uuid.uuid4())
    s.write([("UPDATE notifications SET created_at = created_at - 700 WHERE id = ?", (asked["notificationId"],)),
             ("INSERT INTO notifications (id, type, title, read, tool_name, tool_input, created_at) VALUES (?, "
              "'permission_required', 'Workflow checkpoint: x', 0, 'WorkflowCheckpoint', '{}', 1)", (checkpoint,))])
    closed = lambda: json.loads(stored(s, asked["notificationId"])["response"] or "null")
    for who, start in (("the next client", lambda: Client(s).end()), ("the runner", s.start_runner)):
        s.stop(("supervisor",))
        s.write([("UPDATE notifications SET response = NULL WHERE id = ?", (asked["notificationId"],))])
        start()
        check.equal(f"{who} closes it", s.until(closed, bool, 5), {"behavior": "deny", "message": "Permission request timed out"})
        check.equal("but no workflow's", stored(s, checkpoint)["response"], None)
    s.write([("DELETE FROM notifications WHERE id = ?", (checkpoint,))])


def misuse(check, s):
    run = lambda *args, **env: subprocess.run([str(s.build / "stagent-mcp"), *args], capture_output=True, text=True, timeout=10,
                                              stdin=subprocess.DEVNULL, env={**s.environment(), **env})
    p = run("-o", f"data.dir={s.root}/none")
    check("no database", p.returncode == 1 and "no database" in p.stderr and not p.stdout, p)
    p = run(*s._options(), "serve")
    check("an argument too many", p.returncode == 2 and "usage" in p.stderr and not p.stdout, p)
    p = run("-o", "mcp.permission_timeout=0")
    check("an option out of its bounds", p.returncode == 2 and not p.stdout, p)
    check("help", run("--help").returncode == 0)


def scratch(s, name):
    d = s.root / name
    d.mkdir()
    return d


def server(s):
    return {"command": str(s.build / "stagent-mcp"), "args": s._options()}


def claude(check, s, path):
    home = scratch(s, "claude")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "CLAUDE_CONFIG_DIR": str(home / "config"), "LANG": "C.UTF-8",
           "ANTHROPIC_BASE_URL": s.fake, "ANTHROPIC_API_KEY": KEY, "DISABLE_AUTOUPDATER": "1",
           "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1"}
    config = json.dumps({"mcpServers": {"stagent": {"type": "stdio", **server(s)}}})
    p = subprocess.Popen([path, "-p", "--output-format", "stream-json", "--verbose", "--mcp-config", config,
                          "--strict-mcp-config", "--allowedTools", "mcp__stagent__list_projects,mcp__stagent__set_settings",
                          "--setting-sources", "", "--model", "claude-sonnet-4-6",
                          '[[tool mcp__stagent__list_projects {}]] [[tool mcp__stagent__set_settings {"key": "runtime.maxTurns", '
                          '"value": "7"}]] [[say Listed and set.]]'], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                         stdin=subprocess.DEVNULL, env=env, cwd=home, preexec_fn=die_with_parent)
    try:
        asked = s.until(lambda: s.ok("GET", "/api/notifications/pending-approvals"), bool, 60)
        check("the operator is asked", asked and asked[0]["toolName"] == "set_settings", asked)
        respond(s, asked[0]["notificationId"], "allow")
        out, err = p.communicate(timeout=60)
    finally:
        p.kill()
    frames = [json.loads(x) for x in out.splitlines() if x.startswith("{")]
    init = next((f for f in frames if f.get("subtype") == "init"), {})
    check.equal("Claude Code connects", init.get("mcp_servers"), [{"name": "stagent", "status": "connected"}])
    results = [b for f in frames if f["type"] == "user" for b in f["message"]["content"] if b["type"] == "tool_result"]
    check("Claude Code gets the tools' results", len(results) == 2 and "From outside" in json.dumps(results[0])
          and "newValue" in json.dumps(results[1]) and not any(r.get("is_error") for r in results), results or out + err)
    check.equal("its run ends well", next((f.get("result") for f in frames if f["type"] == "result"), None), "Listed and set.")
    check.equal("the setting is there", s.one("SELECT value FROM settings WHERE key = 'runtime.maxTurns'"), "7")
    check.equal("the audit names it", [a for a in audits(s, "mcp:claude-code") if a[0] == "tool.call"],
                [("tool.call", "list_projects", "ok"), ("tool.call", "set_settings", "ok")])


def codex(check, s, path):
    home = scratch(s, "codex")
    (home / ".codex").mkdir()
    quote = json.dumps
    (home / ".codex" / "config.toml").write_text(f"""model = "gpt-4.1"
model_provider = "fake"
[model_providers.fake]
name = "Fake"
base_url = {quote(s.fake + "/v1")}
wire_api = "responses"
env_key = "FAKE_KEY"
[mcp_servers.stagent]
command = {quote(server(s)["command"])}
args = [{", ".join(quote(str(a)) for a in server(s)["args"])}]
tool_timeout_sec = 150
default_tools_approval_mode = "approve"
""")
    env = {"PATH": os.environ["PATH"], "HOME": str(home), "CODEX_HOME": str(home / ".codex"), "LANG": "C.UTF-8",
           "FAKE_KEY": "sk-fake-0123456789"}
    p = subprocess.run([path, "exec", "--skip-git-repo-check", "--json", "[[tool mcp__stagent__list_projects {}]] [[say Listed.]]"],
                       capture_output=True, text=True, timeout=120, stdin=subprocess.DEVNULL, env=env, cwd=home)
    items = [json.loads(x).get("item", {}) for x in p.stdout.splitlines() if x.startswith("{") and '"item.completed"' in x]
    called = [i for i in items if i.get("type") == "mcp_tool_call"]
    check("Codex calls the tool and gets its result", len(called) == 1 and called[0].get("status") == "completed"
          and "From outside" in json.dumps(called[0].get("result")), called or p.stdout[-2000:] + p.stderr[-2000:])
    check("the audit names it", any(a == ("tool.call", "list_projects", "ok") for a in
          [x for r in s.rows("SELECT DISTINCT actor FROM audit WHERE actor LIKE 'mcp:codex%'") for x in audits(s, r["actor"])]),
          s.rows("SELECT DISTINCT actor FROM audit"))


def test(check):
    paths = programs.installed()
    with Stack() as s:
        for part in (negotiation, offered, calls, rubbish, large, slow_reader, gated, governance, waits, killed, misuse):
            part(check, s)
        claude(check, s, paths["claude"])
        codex(check, s, paths["codex"])


if __name__ == "__main__":
    main(test)
