#!/usr/bin/env python3
"""Schedules on the whole stack: schedules.py [nginx|lighttpd]. What is due fires within 5 s and is executed on its runtime; heartbeats
are judged with the end of their run; the agents' tools; a spend cap; and a job runner that is killed while schedules fire: each
instant is fired once, none is lost. Times are put back in the database, so that nothing waits for a minute to begin. There is
no claude program: its stand-in runs."""
import json, os, random, re, sys, time, uuid

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main

ROUNDS, EACH = 6, 3
OWN = {"name": "S", "prompt": "[[say Fired.]]", "interval": "every 23 hours"}
CHECK = {"name": "H", "type": "heartbeat", "interval": "every 23 hours", "assignedAgent": "anthropic-direct"}
FINE = '{"action_needed": false, "items": [] }'
NEEDED = ('{"action_needed": true, "items": [{"id": "a", "status": "action_needed", "summary": "Answer Ann"}, {"id": "b", "status": "ok", '
          '"summary": "Nothing"}, {"id": "c", "status": "action_needed", "summary": "Pay"}] }')


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c

    def make(self, body=None, **more):
        return self.s.ok("POST", "/api/schedules", {**(body or OWN), **more})["id"]

    def heartbeat(self, answer, **more):
        return self.make(CHECK, heartbeatChecklist=[{"id": "a", "instruction": f"Look. [[say {answer}]]", "priority": "high"}], **more)

    def get(self, id):
        return self.s.ok("GET", f"/api/schedules/{id}")

    def due(self, *ids, ago=0):
        """Makes them due, each at an instant of its own."""
        now = int(time.time()) - ago
        self.s.write([("UPDATE schedules SET next_fire_at = ? WHERE id = ?", (now - i, id)) for i, id in enumerate(ids)])

    def ended(self, id, n=1, timeout=20):
        """The schedule once N of its tasks have ended, and it has counted them."""
        return self.s.until(lambda: self.get(id), lambda g: g and g["firingCount"] >= n and len(g["firingHistory"]) >= n and
                            all(t["status"] not in ("queued", "running") for t in g["firingHistory"]), timeout)

    def call(self, tool, args, **fields):
        """Lets a run call the tool: what the model was told."""
        mark = uuid.uuid4().hex
        task = self.s.start_task(mark, f"{mark} [[tool {tool} {json.dumps(args)}]] [[say End.]]", **fields)
        self.s.wait_task(task)
        for e in self.s.provider_log():
            text = json.dumps(e["json"].get("messages"))
            if mark in text and "tool_result" in text:
                result = [b for m in e["json"]["messages"] if isinstance(m["content"], list) for b in m["content"] if b["type"] == "tool_result"][0]
                content = result["content"]
                return json.loads(content if isinstance(content, str) else content[0]["text"])


def fires(p):
    s, c = p.s, p.c
    project = s.ok("POST", "/api/projects", {"name": "P"})["id"]
    id = p.make(projectId=project, assignedAgent="openai-direct", agentProfile="general")
    began = time.time()
    p.due(id)
    got = p.ended(id)
    c("it fires within 5 s", time.time() - began < 5, time.time() - began)
    task = got["firingHistory"][0]
    c.equal("its task", {k: task[k] for k in ("title", "description", "projectId", "scheduleId", "assignedAgent", "agentProfile", "priority",
                                              "sourceType", "status", "result")},
            {"title": "S — firing #1", "description": "[[say Fired.]]", "projectId": project, "scheduleId": id, "assignedAgent": "openai-direct",
             "agentProfile": "general", "priority": 2, "sourceType": "scheduled", "status": "completed", "result": "Fired."})
    c("it waits again", got["status"] == "active" and got["nextFireAt"] > got["lastFiredAt"], got)
    c.equal("in the ledger", s.rows("SELECT activity_type, runtime_id, schedule_id, project_id FROM usage_ledger WHERE task_id = ?", task["id"]),
            [{"activity_type": "scheduled_firing", "runtime_id": "openai-direct", "schedule_id": id, "project_id": project}])
    c.equal("where it comes from", [s.ok("GET", f"/api/tasks/{task['id']}")["scheduleName"],
                                    s.ok("GET", f"/api/tasks/{task['id']}/provenance")["sourceType"]], ["S", "schedule"])
    once, last = p.make(recurs=False, assignedAgent="anthropic-direct"), p.make(maxFirings=1, assignedAgent="anthropic-direct")
    p.due(once, last)
    c.equal("how they end", [(g["status"], g["firingCount"], g["nextFireAt"]) for g in (p.ended(once), p.ended(last))],
            [("completed", 1, None), ("expired", 1, None)])
    late = p.make(expiresInHours=-1)
    c.equal("one whose time is over expires, due or not", s.until(lambda: p.get(late)["status"], lambda x: x == "expired", 5), "expired")
    for status, why in (("paused", "Can only pause an active schedule"), ("active", "Can only resume a paused schedule")):
        c.equal(f"and is over: {status}", s.api("PATCH", f"/api/schedules/{late}", {"status": status}), (409, {"error": why}))
    s.ok("PATCH", f"/api/projects/{project}", {"status": "paused"})
    p.due(id)
    s.until(lambda: p.get(id)["nextFireAt"], lambda t: t > got["lastFiredAt"], 5)
    time.sleep(0.7)
    c.equal("a paused project's does not fire", len(p.get(id)["firingHistory"]), 1)
    c.equal("it is deleted", s.ok("DELETE", f"/api/schedules/{id}"), {"deleted": True})
    c.equal("its task stays", s.ok("GET", f"/api/tasks/{task['id']}")["scheduleId"], None)
    c.equal("and what it cost", s.rows("SELECT schedule_id FROM usage_ledger WHERE task_id = ?", task["id"]), [{"schedule_id": None}])


def waits(p):
    """While its last task runs, it does not fire; it is not dead either."""
    s, c = p.s, p.c
    id = p.make(prompt="[[sleep 2500]] [[say Slow.]]", assignedAgent="anthropic-direct")
    p.due(id, ago=10)
    first = s.until(lambda: p.get(id), lambda g: any(t["status"] == "running" for t in g["firingHistory"]))
    p.due(id, ago=5)
    s.until(lambda: p.get(id)["nextFireAt"], lambda t: t > first["lastFiredAt"], 5)
    c.equal("no second task", len(p.get(id)["firingHistory"]), 1)
    p.ended(id)
    p.due(id)
    c.equal("then it fires again", [t["title"] for t in p.ended(id, 2)["firingHistory"]][::-1], ["S — firing #1", "S — firing #2"])


def heartbeats(p):
    s, c = p.s, p.c
    id = p.heartbeat(FINE, heartbeatBudgetPerDay=5)
    p.due(id)
    task = s.until(lambda: p.get(id), lambda g: g["firingHistory"])["firingHistory"][0]
    got = p.ended(id)
    c("it asks for the items", "1. [HIGH] (id: \"a\") Look." in task["description"] and "heartbeat check of \"H\"" in task["description"], task)
    c.equal("its task", (task["title"], task["sourceType"]), ("H — heartbeat #1", "heartbeat"))
    c.equal("where it comes from", [s.ok("GET", f"/api/tasks/{task['id']}/provenance")[k] for k in ("sourceType", "parentId")], ["heartbeat", id])
    c("nothing had to be done", got["suppressionCount"] == 1 and got["lastActionAt"] is None and got["nextFireAt"], got)
    cost = s.one("SELECT sum(cost_micros) FROM usage_ledger WHERE task_id = ?", task["id"])
    c("its cost counts", cost > 0 and abs(got["heartbeatSpentToday"] - cost / 1e6) < 1e-9, (cost, got["heartbeatSpentToday"]))
    c.equal("it teaches nothing", s.one("SELECT count(*) FROM agent_memory WHERE source_task_id = ?", task["id"]), 0)
    p.due(id)
    p.ended(id, 2)
    s.ok("PATCH", f"/api/schedules/{id}", {"heartbeatChecklist": [{"id": "a", "instruction": f"[[say ```json\n{NEEDED}\n```]]"}]})
    p.due(id)
    p.ended(id, 3)
    got = s.ok("GET", f"/api/schedules/{id}/heartbeat-history")
    c.equal("what they found", [(h["event"], h["payload"]) for h in got["history"]][0], ("heartbeat_action", "Heartbeat action needed: Answer Ann; Pay"))
    c.equal("newest first", [h["event"] for h in got["history"]], ["heartbeat_action", "heartbeat_suppressed", "heartbeat_suppressed"])
    c("the second one says so", "#2" in got["history"][1]["payload"], got["history"])
    c.equal("and the counts", {k: got["stats"][k] for k in ("suppressionCount", "firingCount", "heartbeatBudgetPerDay")},
            {"suppressionCount": 0, "firingCount": 3, "heartbeatBudgetPerDay": 5})
    s.ok("PATCH", f"/api/schedules/{id}", {"heartbeatBudgetPerDay": 0.000001})
    p.due(id)
    s.until(lambda: p.get(id)["nextFireAt"], lambda t: t and t > p.get(id)["lastFiredAt"], 5)
    time.sleep(0.7)
    c.equal("a spent budget holds it up", len(p.get(id)["firingHistory"]), 3)
    # Ended by a person: judged once its run is over.
    slow = p.make(CHECK, heartbeatChecklist=[{"id": "a", "instruction": "[[sleep 20000]] [[say x]]"}])
    p.due(slow)
    run = s.until(lambda: p.get(slow), lambda g: g["firingHistory"] and g["firingHistory"][0]["status"] == "running")
    c.equal("while it runs it has no time", (run["nextFireAt"], run["firingCount"]), (None, 0))
    s.ok("POST", f"/api/tasks/{run['firingHistory'][0]['id']}/cancel")
    c.equal("a cancelled one needs action", [h["event"] for h in (p.ended(slow), s.ok("GET", f"/api/schedules/{slow}/heartbeat-history"))[1]["history"]],
            ["heartbeat_action"])


def tools(p):
    s, c = p.s, p.c
    names = ("list_schedules", "create_schedule", "get_schedule", "update_schedule", "delete_schedule")
    for n in names:
        s.ok("POST", "/api/permissions", {"pattern": n})
    project = s.ok("POST", "/api/projects", {"name": "P"})["id"]
    made = p.call("create_schedule", {"name": "By an agent", "prompt": "Do it", "interval": "every weekday at 9am", "maxFirings": 2}, projectId=project)
    row = [r for r in s.ok("GET", "/api/schedules") if r["id"] == made["id"]]
    c.equal("an agent makes one", [made], row)
    c.equal("of its project", [made[k] for k in ("projectId", "cronExpression", "recurs", "status", "maxFirings", "type")],
            [project, "0 9 * * 1-5", True, "active", 2, "scheduled"])
    c.equal("and reads it", p.call("get_schedule", {"scheduleId": made["id"]}), made)
    c("lists it", made in p.call("list_schedules", {"status": "active"}))
    got = p.call("update_schedule", {"scheduleId": made["id"], "status": "paused", "name": "Renamed"})
    c.equal("pauses it", (got["status"], got["name"], got["nextFireAt"]), ("paused", "Renamed", None))
    c.equal("which shows", [x["id"] for x in p.call("list_schedules", {"status": "paused"})], [made["id"]])
    got = p.call("update_schedule", {"scheduleId": made["id"], "status": "active", "interval": "5m"})
    c.equal("lets it go on", (got["status"], got["cronExpression"], bool(got["nextFireAt"])), ("active", "*/5 * * * *", True))
    cannot = "Cannot parse interval \"zz\". Use formats like 5m, 2h, 1d, or a 5-field cron expression."
    args = {"name": "N", "prompt": "P", "interval": "5m"}
    for what, tool, more, want in (
            ("an interval", "create_schedule", {**args, "interval": "zz"}, f'Invalid interval "zz": {cannot}'),
            ("a profile", "create_schedule", {**args, "agentProfile": "nope"}, 'Schedule profile "nope" was not found'),
            ("a project", "create_schedule", {**args, "projectId": "nope"}, "Project not found"),
            ("a count", "create_schedule", {**args, "maxFirings": 1.5}, "maxFirings must be a positive integer"),
            ("no name", "create_schedule", {**args, "name": ""}, "Invalid arguments: name: Too small: expected string to have >=1 characters"),
            ("a long name", "create_schedule", {**args, "name": "x" * 201}, "Invalid arguments: name: Too big: expected string to have <=200 characters"),
            ("a new interval", "update_schedule", {"scheduleId": made["id"], "interval": "60m"}, "Invalid interval: Minute interval must be 1-59"),
            ("a state", "update_schedule", {"scheduleId": made["id"], "status": "active"}, "Can only resume a paused schedule"),
            ("nobody's", "update_schedule", {"scheduleId": "none", "name": "x"}, "Schedule not found: none"),
            ("nobody's", "get_schedule", {"scheduleId": "none"}, "Schedule not found: none"),
            ("nobody's", "delete_schedule", {"scheduleId": "none"}, "Schedule not found: none")):
        c.equal(f"refused: {tool}, {what}", p.call(tool, more), {"error": want})
    c.equal("deletes it", p.call("delete_schedule", {"scheduleId": made["id"]}),
            {"message": "Schedule deleted", "scheduleId": made["id"], "name": "Renamed"})
    c.equal("it is gone", s.api("GET", f"/api/schedules/{made['id']}")[0], 404)
    for n in names:
        s.ok("DELETE", "/api/permissions", {"pattern": n})


def cap(p):
    s, c = p.s, p.c
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": 0.000001})
    id, beat = p.make(assignedAgent="anthropic-direct"), p.heartbeat(FINE)
    p.due(id, beat)
    task = p.ended(id)["firingHistory"][0]
    c("a spend cap fails its task", task["status"] == "failed" and re.match(r"Overall daily spend is \$", task["result"] or ""), task)
    c.equal("with one alert", s.one("SELECT count(*) FROM notifications WHERE task_id = ? AND type = 'budget_alert'", task["id"]), 1)
    got = p.ended(beat)
    c("a heartbeat needs action then", got["lastActionAt"] and got["nextFireAt"] and got["firingHistory"][0]["status"] == "failed", got)
    s.ok("POST", "/api/settings/budgets", {"dailyLimit": 1000})


def killed(p):
    """kill -9 of the job runner and all its processes, at any moment around the firings."""
    s, c = p.s, p.c
    kill = lambda: ([s.kill(x) for x in [s.proc["supervisor"].pid, *s.pids()["runs"]]], s.stop(("supervisor",)))
    ids = [p.make(name=f"K{j}", prompt="[[sleep 400]] [[say Done.]]", assignedAgent="anthropic-direct") for j in range(EACH)]
    beats = [p.heartbeat(FINE, name=f"B{j}") for j in range(EACH)]
    seed = random.randrange(1 << 30)
    rng, deaths = random.Random(seed), 0
    at = int(time.time()) - 100000
    busy = lambda: s.rows("SELECT id FROM schedules WHERE status = 'active' AND (next_fire_at IS NULL OR next_fire_at <= ?) "
                          "UNION SELECT schedule_id FROM tasks WHERE status IN ('queued', 'running')", int(time.time()))
    for i in range(ROUNDS):
        s.until(busy, lambda r: not r, 30)
        s.write([("UPDATE schedules SET next_fire_at = ? WHERE id = ?", (at + 100 * i, id)) for id in ids + beats])
        time.sleep(rng.random())
        deaths += bool(busy())
        kill()
        s.start_runner()
    c(f"deaths came in between (seed {seed})", deaths, deaths)
    s.until(busy, lambda r: not r, 60)
    rows = [p.ended(x, ROUNDS, 5) for x in ids + beats]
    c.equal("each instant was counted", {r["firingCount"] for r in rows}, {ROUNDS})
    c.equal("and fired once", {len(r["firingHistory"]) for r in rows}, {ROUNDS})
    c.equal("numbered in turn", [sorted(t["title"] for t in r["firingHistory"]) for r in rows[:1]], [sorted(f"K0 — firing #{n + 1}" for n in range(ROUNDS))])
    c.equal("all of them ended well", {t["status"] for r in rows for t in r["firingHistory"]}, {"completed"})
    c.equal("each once", s.rows("SELECT t.id FROM tasks t JOIN schedules s ON s.id = t.schedule_id WHERE substr(s.name, 1, 1) IN ('K', 'B') AND "
                                "(SELECT count(*) FROM usage_ledger WHERE task_id = t.id AND activity_type = 'scheduled_firing') <> 1"), [])
    c.equal("each heartbeat was judged once", {len(s.ok("GET", f"/api/schedules/{b}/heartbeat-history")["history"]) for b in beats}, {ROUNDS})
    c.equal("in a row", {r["suppressionCount"] for r in rows[EACH:]}, {ROUNDS})
    c.equal("nothing is left open", s.one("SELECT count(*) FROM schedule_firings WHERE open = 1"), 0)


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx", env={"STAGENT_CLAUDE_BIN": "/nonexistent/claude"}) as s:
        p = Play(s, c)
        for part in (fires, waits, heartbeats, tools, cap, killed):
            part(p)


main(test)
