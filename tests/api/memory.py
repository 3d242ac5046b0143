#!/usr/bin/env python3
"""What the job runner makes of a completed run, on the whole stack: memory.py [nginx|lighttpd]. Memories and their way
into the next prompt, their fading, patterns as learning.autoExtract says and the spend caps allow, the tasks of a sweep.
There is no claude program: its stand-in runs. What has no operation is read from and written into the database."""
import json, os, sqlite3, sys, time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
from stack import Stack, main

TEACHES = """Report:
- The system keeps its reports in TypeScript files of every tenant.
- ok
> Always run the linter before a commit in this repository.
The system keeps its reports in TypeScript files of every tenant."""
FACT = "- [fact] The system keeps its reports in TypeScript files of every tenant. (confidence 0.70)"
PREFERENCE = "- [preference] Always run the linter before a commit in this repository. (confidence 0.60)"
TIP = '[{"title": "Tip", "description": "Text", "category": "shortcut"}]'
DAY = 86400


class Play:
    def __init__(self, s, c):
        self.s, self.c = s, c

    def sql(self, text, *args):
        with sqlite3.connect(self.s.db_path, timeout=10) as db:
            return db.execute(text, args).fetchall()

    def setting(self, key, value):
        self.sql("INSERT INTO settings (key, value, updated_at) VALUES (?, ?, 0) ON CONFLICT (key) DO UPDATE SET value = excluded.value",
                 key, value)

    def run(self, say, agent="claude-code", profile="general", title="T", **more):
        """A task that has run; its jobs are done, too."""
        task = self.s.ok("POST", "/api/tasks", {"title": title, "description": f"[[say {say} ]]", "assignedAgent": agent,
                                                "agentProfile": profile, **more})["id"]
        self.s.ok("PATCH", f"/api/tasks/{task}", {"status": "queued"})
        self.s.ok("POST", f"/api/tasks/{task}/execute")
        self.c.equal(f"{agent}: completed", self.s.wait_task(task)["status"], "completed")
        self.s.until(lambda: self.sql("SELECT count(*) FROM jobs WHERE state NOT IN ('done', 'failed')"), lambda n: n == [(0,)])
        return task

    def jobs(self, task):
        return [k for k, in self.sql("SELECT kind FROM jobs WHERE subject = ? AND kind <> 'agent_run' ORDER BY id", task)]

    def system(self, task):
        """What the run of TASK, whose title is in the prompt, was told."""
        return [json.dumps(e["json"].get("system"), ensure_ascii=False) for e in self.s.provider_log()
                if task in json.dumps(e["json"].get("messages")) and e["json"].get("tools")]


def memories(p):
    c = p.c
    task = p.run(TEACHES, "openai-direct")
    rows = p.sql("SELECT profile_id, category, confidence, tags, source_task_id, status, access_count, last_accessed_at FROM agent_memory ORDER BY rowid")
    c.equal("a run leaves memories", rows, [("general", "fact", 700, '["TypeScript"]', task, "active", 0, None),
                                            ("general", "preference", 600, None, task, "active", 0, None)])
    p.run(TEACHES, "anthropic-direct", "researcher", "T")
    c.equal("each profile has its own", p.sql("SELECT count(*) FROM agent_memory WHERE profile_id = 'researcher'"), [(2,)])
    p.sql("DELETE FROM agent_memory WHERE profile_id = 'researcher'")

    p.run("Well, the marker is ALPHA-7", "anthropic-direct")
    told = p.system("ALPHA-7")
    c("the next run is given them", len(told) == 1 and FACT in told[0] and PREFERENCE in told[0]
        and told[0].index(FACT) < told[0].index(PREFERENCE), told)
    rows = p.sql("SELECT access_count, last_accessed_at > ? FROM agent_memory", int(time.time()) - 60)
    c.equal("and that is counted", rows, [(1, 1)] * 2)
    p.run("Well, the marker is BETA-8", "anthropic-direct", "researcher")
    told = p.system("BETA-8")
    c("other profiles are not", len(told) == 1 and "reports in TypeScript" not in told[0], told)

    task = p.run(TEACHES, "ollama")
    c.equal("what is known is not learned again", (p.jobs(task), p.sql("SELECT count(*) FROM agent_memory")), (["remember"], [(2,)]))
    task = p.run("Too short", "anthropic-direct")
    c.equal("a word teaches nothing", p.jobs(task), [])
    task = p.s.ok("POST", "/api/tasks", {"title": "x", "description": "[[error 400]]", "assignedAgent": "anthropic-direct"})["id"]
    p.s.ok("PATCH", f"/api/tasks/{task}", {"status": "queued"})
    p.s.ok("POST", f"/api/tasks/{task}/execute")
    c.equal("nor does a failed run", (p.s.wait_task(task)["status"], p.jobs(task)), ("failed", []))


def fading(p):
    s, c = p.s, p.c
    c("memories fade at the first start", s.until(lambda: p.sql("SELECT value FROM settings WHERE key = 'memory.last_decay_at'"), bool))
    s.stop(("supervisor",))
    now = int(time.time())
    p.setting("memory.last_decay_at", str(now - 2 * DAY))
    p.sql("INSERT INTO agent_memory (id, profile_id, category, content, created_at, updated_at) VALUES ('old', 'x', 'fact', 'x', ?, 0)",
          now - 30 * DAY)
    s.start_runner()
    rows = s.until(lambda: p.sql("SELECT confidence FROM agent_memory WHERE id = 'old'"), lambda r: r != [(700,)])
    c.equal("the two days since then count once", rows, [(686,)])
    last, = s.until(lambda: p.sql("SELECT value FROM settings WHERE key = 'memory.last_decay_at'"), bool)
    c("the time is kept", now <= int(last[0]) <= now + 60, last)


def patterns(p):
    c = p.c
    count = "SELECT count(*), min(runtime_id), min(status) FROM usage_ledger WHERE activity_type = 'pattern_extraction'"
    task = p.run(TIP)
    c("the stand-in ran", p.sql("SELECT 1 FROM agent_logs WHERE task_id = ? AND event = 'runtime_fallback'", task))
    c.equal("by default claude-code teaches", p.jobs(task), ["learn", "remember"])
    c.equal("through claude-code", p.sql(count), [(1, "claude-code", "completed")])
    rows = p.sql("SELECT change_type, proposed_additions, source_task_id FROM learned_context")
    c.equal("which is a proposal", rows, [("proposal", "### Tip [shortcut]\nText", task)])
    c.equal("of its profile", [(n["title"], n["taskId"]) for n in p.s.ok("GET", "/api/notifications/pending-approvals")],
            [("Context proposal for general", task)])
    for agent in ("anthropic-direct", "openai-direct", "ollama"):
        c.equal(f"by default {agent} does not", p.jobs(p.run(TIP, agent)), ["remember"])
    p.setting("learning.autoExtract", "off")
    c.equal("off", p.jobs(p.run(TIP)), ["remember"])
    p.setting("learning.autoExtract", "all")
    c.equal("all", [p.jobs(p.run(TIP, a)) for a in ("ollama", "claude-code")], [["learn", "remember"]] * 2)
    c.equal("all go through claude-code", p.sql(count), [(3, "claude-code", "completed")])
    p.setting("learning.autoExtract", "claude-code")
    c.equal("claude-code", [p.jobs(p.run(TIP, a)) for a in ("openai-direct", "claude-code")], [["remember"], ["learn", "remember"]])


def caps(p):
    """The run itself has room, what is learned from it has none any more."""
    c = p.c
    spent, = p.sql("SELECT sum(cost_micros) FROM usage_ledger")[0]
    p.s.ok("POST", "/api/settings/budgets", {"dailyLimit": (spent + 100) / 1e6})
    before = p.sql("SELECT count(*) FROM usage_ledger"), p.sql("SELECT count(*) FROM learned_context")
    calls = len(p.s.provider_log())
    task = p.run(TIP)
    error, = p.sql("SELECT error FROM jobs WHERE kind = 'learn' AND subject = ?", task)
    c("a blocked extraction is skipped", error[0] and error[0].startswith("Overall daily spend is $"), error)
    after = p.sql("SELECT count(*) - 1 FROM usage_ledger"), p.sql("SELECT count(*) FROM learned_context")
    c.equal("without a ledger row", (before, p.sql("SELECT count(*) FROM usage_ledger WHERE status = 'blocked'")), (after, [(0,)]))
    c.equal("without a call", len(p.s.provider_log()), calls + 1)
    c.equal("without a word", p.sql("SELECT title FROM notifications WHERE type = 'budget_alert' AND title LIKE '%blocked%'"), [])
    p.s.ok("POST", "/api/settings/budgets", {"dailyLimit": 1000})
    c.equal("with room again it is not", p.jobs(p.run(TIP)), ["learn", "remember"])
    c.equal("and proposes", p.sql("SELECT count(*) FROM learned_context"), [(before[1][0][0] + 1,)])


def sweep(p):
    s, c = p.s, p.c
    project = s.ok("POST", "/api/projects", {"name": "P"})["id"]
    found = [{"title": f"Mend {i}", "description": "The parser should be mended.", "priority": i, "suggestedProfile": w}
             for i, w in ((1, "researcher"), (7, "nobody"))]
    task = p.run(f"The findings: {json.dumps(found)} - that is all.", "claude-code", "sweep", projectId=project)
    made = [(t["title"], t["description"], t["priority"], t["agentProfile"], t["status"], t["assignedAgent"])
            for t in s.ok("GET", f"/api/tasks?projectId={project}") if t["id"] != task]
    c.equal("a sweep makes tasks", sorted(made), [
        ("Mend 1", "[Sweep-generated] The parser should be mended.", 1, "researcher", "planned", None),
        ("Mend 7", "[Sweep-generated] The parser should be mended.", 3, "general", "planned", None)])
    c.equal("and no memories", (p.jobs(task), p.sql("SELECT count(*) FROM agent_memory WHERE profile_id = 'sweep'")), (["learn", "sweep"], [(0,)]))


def test(c):
    with Stack(server=sys.argv[1] if len(sys.argv) > 1 else "nginx", env={"STAGENT_CLAUDE_BIN": "/nonexistent/claude"}) as s:
        p = Play(s, c)
        p.setting("ollama.baseUrl", s.fake)
        p.setting("auth.method", "api_key")
        for part in (memories, fading, patterns, caps, sweep):
            part(p)


main(test)
