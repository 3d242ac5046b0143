"""What only rows of other domains can show: rows are written straight into the database, then the API is asked.

Project and task cascades over every table, documents as default bindings and attachments, siblings and provenance of
workflow and schedule tasks, summaries of pending approvals, filters of notifications, vanished profiles, limits.
"""
import json, os, sys, threading, time, uuid

sys.path.insert(0, os.path.join(os.path.dirname(__file__), ".."))
from stack import Stack, main

NOW = int(time.time()) - 1000


class Rows:
    """Collects rows and writes them in one transaction; columns that must not be null get a filler."""

    def __init__(self, stack):
        self.s, self.todo, self.n = stack, [], 0

    def put(self, table, **columns):
        self.n += 1
        columns.setdefault("id", str(uuid.uuid4()))
        for c in self.s.rows(f"PRAGMA table_info({table})"):
            if c["name"] not in columns and c["notnull"] and c["dflt_value"] is None:
                columns[c["name"]] = NOW + self.n if c["type"] == "INTEGER" else "{}" if c["name"] in ("definition", "data",
                    "config") else "x"
        names = ", ".join(columns)
        self.todo.append((f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", list(columns.values())))
        return columns["id"]

    def document(self, **k):
        i = str(uuid.uuid4())
        return self.put("documents", id=i, filename=i + ".txt", original_name=k.pop("name", "d") + ".txt",
            mime_type="text/plain",
                        size=5, storage_path=str(self.s.data / "uploads" / (i + ".txt")), **k)

    def file_of(self, document):
        path = self.s.data / "uploads" / (document + ".txt")
        path.parent.mkdir(exist_ok=True)
        path.write_text("hello")
        return path

    def write(self):
        self.s.write(self.todo)
        self.todo = []


def bindings(s, check):
    r = Rows(s)
    p = s.ok("POST", "/api/projects", {"name": "bound"})["id"]
    d = [r.document(name=n, status="ready", category="note" if n == "b" else None) for n in "abc"]
    r.write()
    put = lambda ids: s.api("PUT", f"/api/projects/{p}/documents", {"documentIds": ids})
    get = lambda: [x["id"] for x in s.ok("GET", f"/api/projects/{p}/documents")]
    check.equal("bound documents are counted once", put([d[2], d[0], d[2]]), (200, {"updated": 2, "projectId": p}))
    check.equal("in the order of binding", get(), [d[2], d[0]])
    check.equal("an unknown document changes nothing", put([d[1], "nope"]), (404, {"error": "Document not found"}))
    check.equal("the bindings stay", get(), [d[2], d[0]])
    check.equal("PATCH binds too", s.api("PATCH", f"/api/projects/{p}", {"documentIds": [d[1], d[1], d[0]]})[0], 200)
    check.equal("and replaces", get(), [d[1], d[0]])
    check.equal("PATCH with an unknown one", s.api("PATCH", f"/api/projects/{p}",
            {"name": "no", "documentIds": [d[0], "nope"]})[0], 404)
    check.equal("nothing of it is done", (get(), s.ok("GET", f"/api/projects/{p}")["name"]), ([d[1], d[0]], "bound"))
    check.equal("the fields of a bound document", s.ok("GET", f"/api/projects/{p}/documents")[0],
                {"id": d[1], "originalName": "b.txt", "filename": d[1] + ".txt", "mimeType": "text/plain", "size": 5,
                 "direction": "input", "status": "ready", "category": "note"})
    check.equal("binding leaves the document alone", s.rows("SELECT task_id, project_id FROM documents WHERE id=?", d[1]),
        [{"task_id": None, "project_id": None}])


def attachments(s, check):
    r = Rows(s)
    p, q = (s.ok("POST", "/api/projects", {"name": n})["id"] for n in ("pa", "qa"))
    a, b, c = r.document(), r.document(project_id=q), r.document()
    r.write()
    at = lambda i: tuple(s.rows("SELECT task_id, project_id FROM documents WHERE id=?", i)[0].values())
    t = s.ok("POST", "/api/tasks", {"title": "t", "projectId": p, "documentIds": [a, "nope"]})["id"]
    check.equal("attached at creation, with the task's project", at(a), (t, p))
    u = s.ok("POST", "/api/tasks", {"title": "u", "documentIds": [a]})["id"]
    check.equal("taken from another task; no project leaves the document's", at(a), (u, p))
    v = s.ok("POST", "/api/tasks", {"title": "v", "fileIds": [b]})["id"]
    check.equal("the older name works", at(b), (v, q))
    s.ok("POST", "/api/tasks", {"title": "w", "documentIds": [], "fileIds": [b]})
    check.equal("but not beside documentIds", at(b), (v, q))
    s.ok("PATCH", f"/api/tasks/{t}", {"documentIds": [b, c]})
    check.equal("PATCH links", (at(b), at(c)), ((t, p), (t, p)))
    s.ok("PATCH", f"/api/tasks/{t}", {"documentIds": [c]})
    check.equal("and unlinks, keeping the project", (at(b), at(c)), ((None, p), (t, p)))
    s.ok("PATCH", f"/api/tasks/{t}", {"title": "t2"})
    check.equal("absent changes nothing", at(c), (t, p))
    check.equal("updated_at of a linked document is now", s.one("SELECT updated_at FROM documents WHERE id=?", c) > NOW + 900,
        True)


def delete_task(s, check):
    r = Rows(s)
    t = s.ok("POST", "/api/tasks", {"title": "doomed"})["id"]
    other = s.ok("POST", "/api/tasks", {"title": "other"})["id"]
    inp, out = r.document(task_id=t), r.document(task_id=t, direction="output")
    files = [r.file_of(inp), r.file_of(out)]
    project = r.put("projects", name="keeps")
    r.put("project_document_defaults", project_id=project, document_id=out)
    table = r.put("user_tables", name="tb")
    r.put("agent_logs", task_id=t), r.put("notifications", task_id=t), r.put("task_table_inputs", task_id=t, table_id=table)
    r.put("table_document_inputs", table_id=table, document_id=out)
    led = r.put("usage_ledger", task_id=t, cost_micros=7, total_tokens=1)
    learned = r.put("learned_context", source_task_id=t)
    mem = r.put("agent_memory", source_task_id=t)
    msg = r.put("agent_messages", task_id=t, target_task_id=t)
    r.write()
    outputs = s.data / "outputs" / t
    outputs.mkdir(parents=True, exist_ok=True)
    (outputs / "a.txt").write_text("x")
    check.equal("a task with children of every kind is deleted", s.api("DELETE", f"/api/tasks/{t}"), (200, {"success": True}))
    children = (("tasks", "id"), ("agent_logs", "task_id"), ("notifications", "task_id"), ("task_table_inputs", "task_id"))
    gone = {n: s.one(f"SELECT count(*) FROM {n} WHERE {c}=?", t) for n, c in children}
    check.equal("what goes with it", set(gone.values()), {0})
    check.equal("output documents go", s.one("SELECT count(*) FROM documents WHERE id=?", out), 0)
    check.equal("others are detached", s.rows("SELECT task_id FROM documents WHERE id=?", inp), [{"task_id": None}])
    check.equal("spent money stays counted", s.rows("SELECT task_id, cost_micros FROM usage_ledger WHERE id=?", led),
        [{"task_id": None, "cost_micros": 7}])
    check.equal("what was learned stays", (s.rows("SELECT source_task_id FROM learned_context WHERE id=?", learned),
            s.rows("SELECT source_task_id FROM agent_memory WHERE id=?", mem)), ([{"source_task_id": None}],) * 2)
    check.equal("handoffs are detached", s.rows("SELECT task_id, target_task_id FROM agent_messages WHERE id=?", msg),
        [{"task_id": None, "target_task_id": None}])
    s.until(lambda: outputs.exists(), lambda x: not x, 3)
    check.equal("files: the input stays, the output and its folder go",
        (files[0].exists(), files[1].exists(), outputs.exists()), (True, False, False))
    check.equal("no broken references", s.rows("PRAGMA foreign_key_check"), [])
    check.equal("another task is untouched", s.api("GET", f"/api/tasks/{other}")[0], 200)


def delete_project(s, check):
    r = Rows(s)
    p = s.ok("POST", "/api/projects", {"name": "doomed"})["id"]
    keep = r.put("projects", name="keep")
    wf, sched = r.put("workflows", project_id=p), r.put("schedules", project_id=p)
    foreign_wf = r.put("workflows", project_id=keep)
    tasks = [r.put("tasks", project_id=p, title="own"), r.put("tasks", workflow_id=wf, title="of the workflow"),
             r.put("tasks", schedule_id=sched, project_id=keep, title="of the schedule, elsewhere")]
    stays = r.put("tasks", project_id=keep, title="stays")
    conv = r.put("conversations", project_id=p, runtime_id="ollama")
    channel = r.put("channel_configs")
    r.put("chat_messages", conversation_id=conv), r.put("channel_bindings", conversation_id=conv, channel_config_id=channel)
    scan, cp = r.put("environment_scans", project_id=p), r.put("environment_checkpoints", project_id=p)
    art = r.put("environment_artifacts", scan_id=scan)
    r.put("environment_sync_ops", checkpoint_id=cp, artifact_id=art)
    d_own, d_task, d_conv, d_free = r.document(project_id=p), r.document(task_id=tasks[0]), r.document(conversation_id=conv), r.document()
    file = r.file_of(d_own)
    free_file = r.file_of(d_free)
    for d in (d_own, d_task, d_free):
        r.put("project_document_defaults", project_id=p, document_id=d)
        r.put("workflow_document_inputs", workflow_id=wf, document_id=d)
        r.put("schedule_document_inputs", schedule_id=sched, document_id=d)
    r.put("project_document_defaults", project_id=keep, document_id=d_own)
    r.put("workflow_document_inputs", workflow_id=foreign_wf, document_id=d_task)
    tb, far = r.put("user_tables", project_id=p), r.put("user_tables", project_id=keep)
    r.put("user_table_columns", table_id=tb), r.put("user_table_rows", table_id=tb), r.put("user_table_views", table_id=tb)
    r.put("user_table_row_history", table_id=tb), r.put("user_table_triggers", table_id=tb), r.put("user_table_imports",
        table_id=tb, document_id=d_own)
    r.put("user_table_imports", table_id=far, document_id=d_own)
    r.put("user_table_relationships", from_table_id=tb, to_table_id=far), r.put("user_table_relationships", from_table_id=far,
        to_table_id=tb)
    r.put("table_document_inputs", table_id=tb, document_id=d_free), r.put("table_document_inputs", table_id=far,
        document_id=d_own)
    r.put("task_table_inputs", task_id=stays, table_id=tb), r.put("task_table_inputs", task_id=tasks[1], table_id=far)
    r.put("workflow_table_inputs", workflow_id=wf, table_id=far), r.put("workflow_table_inputs", workflow_id=foreign_wf,
        table_id=tb)
    r.put("schedule_table_inputs", schedule_id=sched, table_id=far), r.put("schedule_table_inputs", schedule_id=sched,
        table_id=tb)
    led_own = r.put("usage_ledger", project_id=p, task_id=tasks[0], cost_micros=5)
    led_far = r.put("usage_ledger", project_id=keep, task_id=tasks[2], schedule_id=sched, workflow_id=wf, cost_micros=6)
    for t in tasks:
        r.put("agent_logs", task_id=t), r.put("notifications", task_id=t), r.put("learned_context", source_task_id=t)
    mem, msg = r.put("agent_memory", source_task_id=tasks[1]), r.put("agent_messages", task_id=stays, target_task_id=tasks[2])
    cpn = r.put("notifications", type="permission_required", tool_name="WorkflowCheckpoint",
        tool_input=json.dumps({"workflowId": wf, "stepName": "a"}, separators=(",", ":")))
    lbn = r.put("notifications", type="context_proposal_batch", tool_name="workflow-context-batch",
        tool_input=json.dumps({"workflowId": wf, "proposalIds": [], "profileIds": []}, separators=(",", ":")))
    ocn = r.put("notifications", type="permission_required", tool_name="WorkflowCheckpoint",
        tool_input=json.dumps({"workflowId": foreign_wf, "stepName": "a"}, separators=(",", ":")))
    r.write()
    check.equal("taskCount counts by project", {x["id"]: x["taskCount"] for x in s.ok("GET", "/api/projects") if x["id"] in (p,
            keep)}, {p: 1, keep: 2})
    check.equal("a project with everything in it is deleted", s.api("DELETE", f"/api/projects/{p}"), (200, {"success": True}))
    check.equal("no broken references", s.rows("PRAGMA foreign_key_check"), [])
    left = lambda sql, *a: s.one(sql, *a)
    check.equal("tasks of the project, its workflows and schedules",
        [left("SELECT count(*) FROM tasks WHERE id=?", t) for t in tasks], [0, 0, 0])
    check.equal("a task of another project", left("SELECT count(*) FROM tasks WHERE id=?", stays), 1)
    gone = {"workflows": wf, "schedules": sched, "conversations": conv, "environment_scans": scan,
        "environment_checkpoints": cp, "environment_artifacts": art, "user_tables": tb, "documents": d_own,
        "usage_ledger": led_own}
    check.equal("what goes", {k: left(f"SELECT count(*) FROM {k} WHERE id=?", v) for k, v in gone.items()},
        {k: 0 for k in gone})
    check.equal("documents attached to its tasks go", left("SELECT count(*) FROM documents WHERE id=?", d_task), 0)
    check.equal("bound ones stay", left("SELECT count(*) FROM documents WHERE id=?", d_free), 1)
    check.equal("those of its conversations are detached", s.rows("SELECT conversation_id FROM documents WHERE id=?", d_conv),
        [{"conversation_id": None}])
    emptied = (
        ("project_document_defaults", "project_id", p), ("workflow_document_inputs", "workflow_id", wf),
        ("schedule_document_inputs", "schedule_id", sched), ("chat_messages", "conversation_id", conv),
        ("channel_bindings", "conversation_id", conv), ("environment_sync_ops", "checkpoint_id", cp),
        ("user_table_columns", "table_id", tb), ("user_table_rows", "table_id", tb),
        ("user_table_views", "table_id", tb), ("user_table_row_history", "table_id", tb),
        ("user_table_triggers", "table_id", tb), ("user_table_imports", "table_id", tb),
        ("user_table_relationships", "from_table_id", tb), ("user_table_relationships", "to_table_id", tb),
        ("table_document_inputs", "table_id", tb), ("task_table_inputs", "table_id", tb),
        ("workflow_table_inputs", "workflow_id", wf), ("workflow_table_inputs", "table_id", tb),
        ("schedule_table_inputs", "schedule_id", sched), ("agent_logs", "task_id", tasks[0]),
        ("notifications", "task_id", tasks[1]), ("learned_context", "source_task_id", tasks[2]),
    )
    for table, column, value in emptied:
        check.equal(f"nothing left in {table}.{column}", left(f"SELECT count(*) FROM {table} WHERE {column}=?", value), 0)
    check.equal("money of others stays, detached",
        s.rows("SELECT task_id, workflow_id, schedule_id, cost_micros FROM usage_ledger WHERE id=?", led_far),
        [{"task_id": None, "workflow_id": None, "schedule_id": None, "cost_micros": 6}])
    check.equal("memory is detached", s.rows("SELECT source_task_id FROM agent_memory WHERE id=?", mem),
        [{"source_task_id": None}])
    check.equal("handoffs are detached", s.rows("SELECT task_id, target_task_id FROM agent_messages WHERE id=?", msg),
        [{"task_id": stays, "target_task_id": None}])
    check.equal("notifications of its workflow's checkpoints and batches",
        [left("SELECT count(*) FROM notifications WHERE id=?", n) for n in (cpn, lbn, ocn)], [0, 0, 1])
    s.until(lambda: file.exists(), lambda x: not x, 3)
    check.equal("files", (file.exists(), free_file.exists()), (False, True))


def relations(s, check):
    r = Rows(s)
    wf, hb = r.put("workflows", name="W"), r.put("schedules", name="H")
    run1 = [r.put("tasks", workflow_id=wf, workflow_run_number=1, title=f"s{i}", created_at=NOW - i,
            source_type="workflow") for i in range(3)]
    run2, none = r.put("tasks", workflow_id=wf, workflow_run_number=2,
        title="r2"), [r.put("tasks", workflow_id=wf, title=f"n{i}") for i in range(2)]
    sched = r.put("tasks", schedule_id=hb, title="sc", source_type="scheduled")
    beat, plain = r.put("tasks", schedule_id=hb, title="hb", source_type="heartbeat"), r.put("tasks", schedule_id=hb,
        title="old")
    pulse = r.put("tasks", schedule_id=r.put("schedules", name="B", type="heartbeat"), title="old beat")
    odd = r.put("tasks", title="more urgent than can be said", priority=-2)
    r.write()
    check.equal("a priority that others have written", s.ok("GET", "/api/tasks")[0]["id"], odd)
    sib = lambda t: [x["id"] for x in s.ok("GET", f"/api/tasks/{t}/siblings")]
    check.equal("siblings: same run, oldest first", sib(run1[0]), [run1[2], run1[1]])
    check.equal("alone in its run", sib(run2), [])
    check.equal("null matches null", sib(none[0]), [none[1]])
    check.equal("a sibling", s.ok("GET", f"/api/tasks/{none[0]}/siblings")[0].keys(),
        {"id": 0, "title": 0, "status": 0, "createdAt": 0}.keys())
    t = s.ok("GET", f"/api/tasks/{run1[0]}")
    check.equal("workflowName", (t.get("workflowName"), "scheduleName" in t, "projectName" in t), ("W", False, False))
    check.equal("scheduleName", s.ok("GET", f"/api/tasks/{sched}").get("scheduleName"), "H")
    prov = lambda t: (lambda x: (x["sourceType"], x["parentId"]))(s.ok("GET", f"/api/tasks/{t}/provenance"))
    check.equal("provenance: workflow", prov(run1[0]), ("workflow", wf))
    check.equal("provenance: scheduled is shown as schedule", prov(sched), ("schedule", hb))
    check.equal("provenance: heartbeat", prov(beat), ("heartbeat", hb))
    check.equal("provenance: a schedule without a source", prov(plain), ("schedule", hb))
    check.equal("provenance: a heartbeat without a source", prov(pulse)[0], "heartbeat")


def timeline(s, check):
    r = Rows(s)
    t = r.put("tasks", title="tl", status="completed")
    for i in range(130):
        r.put("agent_logs", task_id=t, event="tool_start" if i % 2 else "other", payload=str(i), timestamp=NOW + i)
    r.put("notifications", task_id=t, type="permission_required", body="B1", created_at=NOW + 129)
    r.put("notifications", task_id=t, type="permission_required", body="B2", response='{"behavior":"deny"}',
        created_at=NOW + 129)
    r.put("notifications", task_id=t, type="task_completed", created_at=NOW + 129)
    r.put("usage_ledger", task_id=t, input_tokens=1, output_tokens=None, total_tokens=1, cost_micros=1500000, model_id="a",
        started_at=NOW - 5, finished_at=NOW + 129)
    r.put("usage_ledger", task_id=t, input_tokens=2, output_tokens=3, total_tokens=5, cost_micros=None, model_id="b",
        started_at=NOW, finished_at=NOW + 500)
    r.put("usage_ledger", task_id=t, model_id=None, started_at=NOW - 9, finished_at=NOW + 2)
    r.write()
    x = s.ok("GET", f"/api/tasks/{t}/provenance")
    line = [(e["type"], e["detail"]) for e in x["timeline"]]
    check.equal("newest first; within a second logs, approvals, costs", line[:5],
        [("cost", "2 in / 3 out tokens"), ("log", "129"), ("approval", "B1"), ("approval", "B2"),
            ("cost", "1 in / 0 out tokens")])
    check.equal("the newest 100 logs", sum(e[0] == "log" for e in line), 100)
    check.equal("status of approvals", [e["status"] for e in x["timeline"] if e["type"] == "approval"],
        ["pending", '{"behavior":"deny"}'])
    check.equal("sums", (x["totalCost"], x["approvalCount"], x["toolCallCount"]), (1.5, 2, 50))
    u = s.ok("GET", f"/api/tasks/{t}")["usage"]
    iso = lambda n: time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(n))
    check.equal("usage", u, {"inputTokens": 3, "outputTokens": 3, "totalTokens": 6, "costMicros": 1500000, "modelId": "b",
            "startedAt": iso(NOW - 9), "finishedAt": iso(NOW + 500)})
    n = Rows(s)
    v = n.put("tasks", title="nulls")
    n.put("usage_ledger", task_id=v, total_tokens=None, cost_micros=5)
    n.write()
    check.equal("usage is absent without a total", "usage" in s.ok("GET", f"/api/tasks/{v}"), False)


SUMMARIES = [  # tool, input, label, summary
    ("Bash", {"command": "  ls -la  "}, "Bash", "ls -la"), ("Bash", {"cmd": "x", "command": "y"}, "Bash", "y"),
    ("bash", {"cmd": " z "}, "bash", "z"),
    ("Bash", {"command": None, "cmd": "c"}, "Bash", "c"), ("Bash", {"command": 5, "cmd": "c"}, "Bash", "c"),
    ("Bash", {"command": "   ", "other": "o"}, "Bash", "   "),
    ("Read", {"path": "p", "file_path": "/f"}, "Read", "/f"), ("write", {"path": " /q "}, "write", "/q"),
    ("Edit", {"file_path": 7, "path": "p"}, "Edit", "p"),
    ("Glob", {"n": 1, "pattern": "*.c", "z": "later"}, "Glob", "*.c"), ("tool", {"a": " "}, "tool", " "),
    ("tool", {"n": 5, "b": True}, "tool", "n: 5"),
    ("tool", {"b": False}, "tool", "b: false"), ("tool", {"o": {"k": [1, 2]}}, "tool", 'o: {"k":[1,2]}'),
    ("tool", {"l": []}, "tool", "l: []"),
    ("tool", {"n": None}, "tool", "n: null"), ("mcp__srv__do_it", {"q": "x"}, "MCP srv/do_it", "x"),
    ("mcp__srv", {"q": "x"}, "MCP srv/tool", "x"), ("mcp__", {"q": "x"}, "MCP server/tool", "x"),
    ("tool", {"t": "x" * 120}, "tool", "x" * 120), ("tool", {"t": "x" * 121}, "tool", "x" * 119 + "…"),
    ("tool", {"t": "é" * 130}, "tool", "é" * 119 + "…"), ("tool", {"t": "a" * 118 + "😀" * 3}, "tool", "a" * 118 + "…"),
]


def approvals(s, check):
    r = Rows(s)
    wf = r.put("workflows", name="WF")
    wt = r.put("tasks", title="wft", workflow_id=wf)
    t = r.put("tasks", title="plain")
    dump = lambda x: json.dumps(x, separators=(",", ":"), ensure_ascii=False)
    for i in range(0, len(SUMMARIES), 15):
        part = SUMMARIES[i:i + 15]
        ids = [r.put("notifications", type="permission_required", task_id=t, tool_name=tool, tool_input=dump(inp),
                created_at=NOW + j) for j, (tool, inp, _, _) in enumerate(part)]
        r.write()
        got = {x["notificationId"]: x for x in s.ok("GET", "/api/notifications/pending-approvals")}
        for n, (tool, inp, label, summary) in zip(ids, part):
            x = got.get(n, {})
            check.equal(f"summary of {tool} {dump(inp)[:50]}", (x.get("permissionLabel"), x.get("compactSummary"),
                    x.get("toolInput"), x.get("message"), x.get("id")), (label, summary, inp, summary, n))
        s.write([("DELETE FROM notifications WHERE id=?", (n,)) for n in ids])
    s.write([("DELETE FROM notifications", ())])
    odd = {"no input": ("x", None), "no tool": (None, '{"a":"b"}'), "not JSON": ("x", "{oh"), "plain value": ("x", '"text"'),
        "empty object": ("x", "{}"), "array": ("x", '["first",2]')}
    ids = {k: r.put("notifications", type="permission_required", tool_name=a, tool_input=b) for k, (a, b) in odd.items()}
    cp = r.put("notifications", type="permission_required", tool_name="WorkflowCheckpoint",
        tool_input=dump({"workflowId": wf, "stepName": "s"}))
    prop = r.put("notifications", type="context_proposal", tool_name="researcher", task_id=t,
        tool_input=dump({"profileId": "researcher", "additions": "x", "learnedContextId": "y"}))
    batch = r.put("notifications", type="context_proposal_batch", tool_name="workflow-context-batch",
        tool_input=dump({"workflowId": wf, "proposalIds": ["a"], "profileIds": ["b"]}))
    of_wf = r.put("notifications", type="permission_required", tool_name="Read", tool_input=dump({"file_path": "/x"}),
        task_id=wt, read=1)
    r.put("notifications", type="agent_message", tool_name="AskUserQuestion", tool_input=dump({"questions": []}))
    r.put("notifications", type="permission_required", tool_name="Read", response='{"behavior":"deny"}')
    r.write()
    got = {x["notificationId"]: x for x in s.ok("GET", "/api/notifications/pending-approvals")}
    check.equal("open ones only, no questions", set(got), {*ids.values(), cp, prop, batch, of_wf})
    neutral = {got[ids[k]]["compactSummary"] for k in ("no input", "not JSON", "plain value", "empty object")}
    check("one neutral sentence where nothing can be said", len(neutral) == 1 and len(neutral.pop()) > 5, neutral)
    check.equal("no tool", got[ids["no tool"]]["permissionLabel"], "Tool")
    check.equal("inputs that cannot be parsed are null", [got[ids[k]]["toolInput"] for k in ("no input", "not JSON",
            "plain value", "empty object", "array")], [None, None, None, {}, ["first", 2]])
    four, two = ["allow_once", "always_allow", "deny", "open_inbox"], ["allow_once", "deny"]
    look = lambda n: tuple(got[n][k] for k in ("permissionLabel", "deepLink", "supportedActionIds", "taskTitle", "workflowId",
            "workflowName", "notificationType", "read"))
    check.equal("a checkpoint", look(cp), ("WorkflowCheckpoint", f"/workflows/{wf}", four, None, wf, "WF",
            "permission_required", False))
    check.equal("a proposal", look(prop), ("Context Proposal", "/profiles/researcher", two, "plain", None, None,
            "context_proposal", False))
    check("its summary names the profile", "researcher" in got[prop]["compactSummary"], got[prop]["compactSummary"])
    check.equal("a batch", look(batch)[:3] + look(batch)[6:], ("Workflow Learning", "/inbox", two, "context_proposal_batch",
            False))
    check.equal("of a workflow's task, read", look(of_wf), ("Read", f"/tasks/{wt}", four, "wft", wf, "WF",
            "permission_required", True))
    check.equal("without anything to open", got[ids["no tool"]]["deepLink"], "/inbox")
    check.equal("keys in order", list(got[cp]), ["channel", "notificationId", "taskId", "workflowId", "toolName",
            "permissionLabel", "compactSummary", "deepLink", "supportedActionIds", "title", "body", "taskTitle", "workflowName",
            "toolInput", "createdAt", "read", "notificationType", "id", "message"])
    ask = s.api("POST", "/api/tasks/_checkpoint/respond", {"notificationId": cp, "behavior": "allow"})
    check.equal("a checkpoint is answered under any id", ask, (200, {"success": True}))
    for i in range(30):
        r.put("notifications", type="permission_required", tool_name="n", created_at=NOW + 5000 + i // 2)
    r.write()
    many = s.ok("GET", "/api/notifications/pending-approvals")
    times = [x["createdAt"] for x in many]
    check.equal("at most 20, newest first", (len(many), times), (20, sorted(times, reverse=True)))


def lists(s, check):
    r = Rows(s)
    s.write([("DELETE FROM notifications", ())])
    ids = [r.put("notifications", type="a b", title=str(i), read=i % 2, created_at=NOW + 100 + i // 10) for i in range(150)]
    b = r.put("notifications", type="budget_alert")
    m = r.put("notifications", type="agent_message", tool_name="AskUserQuestion")
    e = r.put("notifications", type="task_failed")
    cb = r.put("notifications", type="context_proposal_batch", response="{}")
    r.write()
    got = s.ok("GET", "/api/notifications?type=a+b")
    order = sorted(range(150), key=lambda i: (-(i // 10), i))
    check.equal("newest first, ties by insertion, at most 100", [x["id"] for x in got], [ids[i] for i in order[:100]])
    check.equal("a plus is a blank", len(s.ok("GET", "/api/notifications?type=a%2Bb")), 0)
    check.equal("so is %20", len(s.ok("GET", "/api/notifications?type=a%20b")), 100)
    check.equal("unread only", {x["read"] for x in s.ok("GET", "/api/notifications?unread=true&type=a+b")}, {False})
    check.equal("the count has no limit and counts unread", s.ok("GET", "/api/notifications?countOnly=true"), {"count": 75 + 4})
    check.equal("of a type", s.ok("GET", "/api/notifications?countOnly=true&type=a+b"), {"count": 75})
    of = lambda q: {x["id"] for x in s.ok("GET", "/api/notifications?" + q)}
    check.equal("system", of("type=system"), {b, m})
    check.equal("error", of("type=error"), {e})
    check.equal("approval", of("type=approval"), {cb})
    check.equal("count of a documented name", s.ok("GET", "/api/notifications?countOnly=true&type=system"), {"count": 2})
    check.equal("stored names are sent", s.ok("GET", "/api/notifications?type=error")[0]["type"], "task_failed")
    check.equal("mark all", s.api("PATCH", "/api/notifications/mark-all-read"), (200, {"success": True}))
    check.equal("none unread", s.ok("GET", "/api/notifications?countOnly=true"), {"count": 0})
    s.write([("DELETE FROM notifications", ())])


def profiles(s, check):
    r = Rows(s)
    t = s.ok("POST", "/api/tasks", {"title": "v", "assignedAgent": "anthropic-direct"})["id"]
    s.write([("UPDATE tasks SET agent_profile='vanished' WHERE id=?", (t,))])
    text = {"error": 'Task profile "vanished" was not found'}
    check.equal("a task whose profile has vanished takes no change", s.api("PATCH", f"/api/tasks/{t}", {"title": "w"}),
        (400, text))
    check.equal("not even of its status", s.api("PATCH", f"/api/tasks/{t}", {"status": "queued"}), (400, text))
    s.write([("UPDATE tasks SET status='queued' WHERE id=?", (t,))])
    before = s.one("SELECT count(*) FROM notifications")
    check.equal("execute refuses it", s.api("POST", f"/api/tasks/{t}/execute"), (400, text))
    check.equal("and fails the task", s.rows("SELECT status, result FROM tasks WHERE id=?", t),
        [{"status": "failed", "result": text["error"]}])
    check.equal("no log, no notification", (s.one("SELECT count(*) FROM agent_logs WHERE task_id=?", t),
            s.one("SELECT count(*) FROM notifications")), (0, before))
    check.equal("unless the profile is replaced with it", s.api("PATCH", f"/api/tasks/{t}",
            {"title": "w", "agentProfile": "general"})[0], 200)
    u = r.put("tasks", title="limit", status="failed", session_id="s", resume_count=3, assigned_agent="anthropic-direct")
    r.write()
    check.equal("three resumes are enough", s.api("POST", f"/api/tasks/{u}/resume"),
        (400, {"error": "Resume limit reached. Re-queue for fresh start."}))
    check.equal("nothing changed", s.rows("SELECT status, resume_count FROM tasks WHERE id=?", u),
        [{"status": "failed", "resume_count": 3}])


def together(s, check):
    """Many clients at once: conditional updates decide."""
    def all_at_once(calls):
        got = [None] * len(calls)
        def one(i):
            got[i] = s.api(*calls[i])
        threads = [threading.Thread(target=one, args=(i,)) for i in range(len(calls))]
        [x.start() for x in threads], [x.join() for x in threads]
        return got
    s.ok("POST", "/api/tasks", {"title": "warm"})
    t = s.ok("POST", "/api/tasks", {"title": "x", "description": "[[say x]]", "assignedAgent": "anthropic-direct"})["id"]
    s.ok("PATCH", f"/api/tasks/{t}", {"status": "queued"})
    got = sorted(a for a, _ in all_at_once([("POST", f"/api/tasks/{t}/execute")] * 20))
    check.equal("twenty executes: one wins", got, [202] + [400] * 19)
    s.wait_task(t)
    check.equal("one run", s.one("SELECT count(*) FROM agent_logs WHERE task_id=? AND event='started'", t), 1)
    pats = [f"par{i}" for i in range(30)]
    got = {a for a, _ in all_at_once([("POST", "/api/permissions", {"pattern": p}) for p in pats])}
    check.equal("thirty patterns at once", got, {200})
    check.equal("none is lost", sorted(s.ok("GET", "/api/permissions")["permissions"]), sorted(pats))
    all_at_once([("DELETE", "/api/permissions", {"pattern": p}) for p in pats])
    check.equal("none is left", s.ok("GET", "/api/permissions")["permissions"], [])
    got = [x[0] for x in all_at_once([("POST", "/api/tasks", {"title": f"many {i}"}) for i in range(40)])]
    check.equal("forty creations", got, [201] * 40)
    check.equal("forty rows", s.one("SELECT count(*) FROM tasks WHERE title LIKE 'many %'"), 40)


def limits(s, check):
    s.write([("INSERT INTO settings (key, value, updated_at) VALUES ('permissions.allow', ?, 1) ON CONFLICT (key) DO UPDATE SET value=excluded.value", (json.dumps([f"p{i}" for i in range(1000)]),))])
    check.equal("a thousand patterns are all", s.api("POST", "/api/permissions", {"pattern": "more"}),
        (400, {"error": "Too many patterns"}))
    check.equal("one that is there already is no more", s.api("POST", "/api/permissions", {"pattern": "p5"}),
        (200, {"success": True}))
    check.equal("a preset would be too many", s.api("POST", "/api/permissions/presets", {"presetId": "read-only"})[0], 400)
    for bad in ("{", '"Read"', '{"a":1}', "null", ""):
        s.write([("UPDATE settings SET value=? WHERE key='permissions.allow'", (bad,))])
        check.equal(f"an unreadable list is empty: {bad!r}", s.api("GET", "/api/permissions"), (200, {"permissions": []}))
    s.write([("DELETE FROM settings WHERE key='permissions.allow'", ())])


def assist(s, check):
    s.api("POST", "/api/tasks/assist", {"title": "[[say {}]]", "assignedAgent": "anthropic-direct"})
    s.api("POST", "/api/tasks/assist", {"title": "[[error 400]]", "assignedAgent": "anthropic-direct"})
    rows = s.until(lambda: s.rows("SELECT runtime_id, status, input_tokens, task_id FROM usage_ledger WHERE activity_type='task_assist' ORDER BY rowid"), lambda r: r and len(r) == 2, 5)
    check.equal("a ledger row for each, completed or failed", rows,
        [{"runtime_id": "anthropic-direct", "status": "completed", "input_tokens": 100, "task_id": None},
            {"runtime_id": "anthropic-direct", "status": "failed", "input_tokens": None, "task_id": None}])
    sent = [x["json"] for x in s.provider_log() if x["path"].endswith("/v1/messages") and "[[say {}]]" in json.dumps(x["json"].get("messages"))][-1]
    check("no tools, at most 2048 tokens", not sent.get("tools") and sent["max_tokens"] <= 2048,
        (sent.get("tools"), sent["max_tokens"]))
    text = json.dumps(sent["messages"])
    check("the user text has the title only", "Task title: [[say {}]]" in text and "Description:" not in text, text)


def test(check):
    with Stack() as s:
        for part in (bindings, attachments, delete_task, delete_project, relations, timeline, approvals, lists, profiles,
            together, limits, assist):
            try:
                part(s, check)
            except Exception as e:
                check(f"{part.__name__}: no exception", False, f"{type(e).__name__}: {e}")
        check("the log has no internal error", "Internal server error" not in s.log("master"))
        s.failed = check.failed > 0


main(test)
