"""A data folder that Stagent 0.7.0 wrote is migrated in place and served, and 0.7.0 could still read it.

Checked: a copy of the database was made beside it before anything changed; every table, column and row of the old file is still there
(Stagent finds its columns by name); what the API serves is what the rows say; the key file and the uploads are untouched; the file is sound;
a second start changes nothing and makes no second copy; a run on the old data completes.
"""
import hashlib, os, sqlite3, sys, tarfile, tempfile, time
from pathlib import Path

from stack import Stack, TESTS, main


def look(path, live=True):
    """A connection that only reads; of a file that nobody writes, one that leaves nothing beside it."""
    return sqlite3.connect(f"file:{path}?mode=ro" if live else f"file:{path}?immutable=1", uri=True)


def schema(path, live=True):
    """{table: {column: declared type}}"""
    c = look(path, live)
    out = {t: {r[1]: r[2].upper() for r in c.execute(f'PRAGMA table_info("{t}")')} for (t,
            ) in c.execute("SELECT name FROM sqlite_master WHERE type='table' AND name NOT LIKE 'sqlite_%'")}
    c.close()
    return out


def content(path, columns, live=True):
    """{table: rows as sorted text of the old COLUMNS}"""
    c = look(path, live)
    out = {}
    for t, cols in columns.items():
        names = ", ".join(f'"{n}"' for n in cols)
        out[t] = sorted(repr(r) for r in c.execute(f'SELECT {names} FROM "{t}"'))
    c.close()
    return out


def copies(data):
    """Files beside the database that are neither the database nor SQLite's or our own companions of it."""
    own = {"stagent.db" + x for x in ("", "-wal", "-shm", "-lock")}
    return [p for p in data.rglob("stagent.db*") if p.is_file() and p.name not in own]


def digest(folder):
    return {str(p.relative_to(folder)): hashlib.sha256(p.read_bytes()).hexdigest() for p in sorted(folder.rglob("*")) if p.is_file() and not p.name.startswith("stagent.db") and "run" not in p.parts}


def iso(n):
    return time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime(n))


def served(s, check):
    rows = s.rows("SELECT * FROM projects ORDER BY created_at, rowid")
    got = s.ok("GET", "/api/projects")
    check.equal("projects are served", [(p["id"], p["name"], p["status"], p["workingDirectory"], p["createdAt"]) for p in got],
        [(r["id"], r["name"], r["status"], r["working_directory"], iso(r["created_at"])) for r in rows])
    rows = s.rows("SELECT * FROM tasks ORDER BY priority, created_at DESC, rowid")
    got = s.ok("GET", "/api/tasks")
    check.equal("tasks are served, in order", [(t["id"], t["title"], t["status"], t["result"], t["resumeCount"]) for t in got],
        [(r["id"], r["title"], r["status"], r["result"], r["resume_count"]) for r in rows])
    for r in rows:
        check.equal(f"task {r['id'][:8]} with its parts", [s.api("GET", f"/api/tasks/{r['id']}{x}")[0] for x in ("", "/output",
                "/provenance", "/siblings")], [200] * 4)
    rows = s.rows("SELECT * FROM notifications ORDER BY created_at DESC, rowid")
    check.equal("notifications are served", [(n["id"], n["type"], n["toolInput"], n["read"]) for n in s.ok("GET",
            "/api/notifications")], [(r["id"], r["type"], r["tool_input"], bool(r["read"])) for r in rows])
    check.equal("permissions and approvals", [s.api("GET", p)[0] for p in ("/api/permissions", "/api/permissions/presets",
            "/api/notifications/pending-approvals")], [200] * 3)


def log_numbers(s, check):
    """The cursor of the log streams only grows, from the first start on."""
    top = s.one("SELECT coalesce(max(rowid), 0) FROM agent_logs")
    add = "INSERT INTO agent_logs (id, agent_type, event, timestamp) VALUES (?, 'g', 'e', 1)"
    s.write([(add, ("one",)), ("DELETE FROM agent_logs WHERE id = 'one'", ()), (add, ("two",))])
    check.equal("a log row takes no number of a deleted one", s.one("SELECT rowid FROM agent_logs WHERE id = 'two'"), top + 2)
    s.write([("DELETE FROM agent_logs WHERE id = 'two'", ())])


def hold(db):
    """Lets the accepted handoffs and the active schedules of the file wait for a person, so that nothing runs at the start;
    their ids."""
    c = sqlite3.connect(db, isolation_level=None)
    handoffs = [i for i, in c.execute("SELECT id FROM agent_messages WHERE status = 'accepted' ORDER BY created_at, rowid")]
    schedules = [i for i, in c.execute("SELECT id FROM schedules WHERE status = 'active' ORDER BY rowid")]
    c.execute("UPDATE agent_messages SET status = 'pending' WHERE status = 'accepted'")
    c.execute("UPDATE schedules SET status = 'paused' WHERE status = 'active'")
    c.close()
    return handoffs, schedules


def handoffs(s, check, accepted):
    """What an older program has accepted is taken up."""
    check("the old file has accepted handoffs", accepted)
    s.write([("UPDATE agent_messages SET status = 'accepted' WHERE id = ?", (i,)) for i in accepted])
    rows = [s.until(lambda: s.ok("GET", f"/api/handoffs/{i}"), lambda h: h and h["status"] == "completed", 30) for i in accepted]
    check.equal("old handoffs become tasks that run", [(h["status"], s.ok("GET", f"/api/tasks/{h['targetTaskId']}")["title"]) for h in rows],
        [("completed", f"Handoff: {h['subject']}") for h in rows])


def schedules(s, check, active):
    """What waits since an older program ran is fired once, where it may; what it has left without a time gets one."""
    often = {r["id"]: r["max_firings"] for r in s.rows("SELECT id, max_firings FROM schedules")}
    done = lambda r: r["status"] == "expired" or len(r["firingHistory"]) == 1 and r["firingHistory"][0]["status"] == "completed"
    check("the old file has active schedules", len(active) > 1)
    s.write([("UPDATE schedules SET status = 'active', next_fire_at = CASE WHEN id = ? THEN NULL ELSE next_fire_at END WHERE id = ?", (active[0], i))
             for i in active])
    rows = s.until(lambda: [s.ok("GET", f"/api/schedules/{i}") for i in active],
                   lambda got: got and got[0]["nextFireAt"] and all(done(r) for r in got[1:]), 30)
    check.equal("old schedules fire once, but those that never may", [(r["status"], [t["status"] for t in r["firingHistory"]]) for r in rows[1:]],
        [("active", ["completed"]) if often[i] is None else ("expired", []) for i in active[1:]])
    check("those wait again", all(r["nextFireAt"] > iso(time.time() - 60) for r in rows if r["status"] == "active"), rows)


def test(check):
    with tempfile.TemporaryDirectory(prefix="stg-old-") as tmp:
        os.chmod(tmp, 0o755)
        with tarfile.open(TESTS / "fixtures" / "stagent-0.7.0.tar.gz") as t:
            t.extractall(tmp, filter="data") if hasattr(tarfile, "data_filter") else t.extractall(tmp)
        data = Path(tmp) / "stagent"
        db = data / "stagent.db"
        accepted, active = hold(db)
        columns = schema(db)
        before, files = content(db, columns), digest(data)
        with Stack(data=data) as s:
            backups = copies(data)
            check("a copy was made beside the database", len(backups) == 1, backups)
            if backups:
                check.equal("it is the old file", (schema(backups[0], False), content(backups[0], columns, False)),
                    (columns, before))
                c = look(backups[0], False)
                check.equal("and sound", c.execute("PRAGMA integrity_check").fetchone()[0], "ok")
                c.close()
                check.equal("readable by the owner only", backups[0].stat().st_mode & 0o077, 0)
            now = schema(db)
            check.equal("every table and column is still there", {t: {n: now.get(t, {}).get(n) for n in cols} for t,
                    cols in columns.items()}, columns)
            after = content(db, columns)
            added = set(after["user_table_templates"]) - set(before["user_table_templates"])
            check("the built-in templates were put in", len(added) == 12 and all("'system'" in r for r in added), added)
            after["user_table_templates"] = [r for r in after["user_table_templates"] if r not in added]
            check.equal("every row is as it was", {t: after[t] for t in before if after[t] != before[t]}, {})
            check.equal("key file and uploads are untouched", {k: v for k, v in digest(data).items() if k in files}, files)
            check.equal("integrity_check", s.one("PRAGMA integrity_check"), "ok")
            check.equal("foreign_key_check", s.rows("PRAGMA foreign_key_check"), [])
            check.equal("journal mode", s.one("PRAGMA journal_mode"), "wal")
            served(s, check)
            s.stop(only=("web", "supervisor", "master"))
            frozen, tables = content(db, now), schema(db)
            s.start_pool(), s.start_runner(), s.start_web(), s.wait_ready()
            check.equal("a second start changes no table", schema(db), tables)
            changed = [t for t, rows in content(db, now).items() if rows != frozen[t]]
            check.equal("and no row", changed, [])
            check.equal("and makes no second copy", copies(data), backups)
            t = s.start_task("on old data", "[[tool list_projects {}]] [[say new]]")
            n = s.wait_request(t)
            s.ok("POST", f"/api/tasks/{t}/respond", {"notificationId": n["notificationId"], "behavior": "allow"})
            check.equal("a run completes", s.wait_task(t)["status"], "completed")
            handoffs(s, check, accepted)
            schedules(s, check, active)
            log_numbers(s, check)
            for p in s.rows("SELECT id FROM projects"):
                check.equal("an old project with all it has can be deleted", s.api("DELETE", f"/api/projects/{p['id']}"),
                    (200, {"success": True}))
            check.equal("without broken references", s.rows("PRAGMA foreign_key_check"), [])
            s.failed = check.failed > 0


main(test)
