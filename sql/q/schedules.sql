-- Schedules and what fires.

-- name: SCHEDULE_LIST
SELECT @schedule FROM schedules ORDER BY created_at DESC, rowid;

-- Of any state where ?1 is null; the latest changed first.
-- name: SCHEDULE_LIST_LATEST
SELECT @schedule FROM schedules WHERE ?1 IS NULL OR status = ?1
ORDER BY updated_at DESC, rowid LIMIT ?2;

-- name: SCHEDULE_GET
SELECT @schedule FROM schedules WHERE id = ?1;

-- name: SCHEDULE_NAME
SELECT name FROM schedules WHERE id = ?1;

-- name: SCHEDULE_TASKS
SELECT @task FROM tasks WHERE schedule_id = ?1 ORDER BY created_at DESC, rowid;

-- name: SCHEDULE_INSERT
INSERT INTO schedules (id, project_id, name, prompt, cron_expression, assigned_agent, agent_profile,
	recurs, max_firings, expires_at, next_fire_at, type, heartbeat_checklist,
	active_hours_start, active_hours_end, active_timezone, heartbeat_budget_per_day,
	delivery_channels, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15, ?16, ?17, ?18, ?19, ?19);

-- All that a request may change; of what it does not name the caller gives the value of before.
-- name: SCHEDULE_UPDATE
UPDATE schedules SET status = ?2, name = ?3, prompt = ?4, cron_expression = ?5, assigned_agent = ?6,
	agent_profile = ?7, next_fire_at = ?8, heartbeat_checklist = ?9, active_hours_start = ?10,
	active_hours_end = ?11, active_timezone = ?12, heartbeat_budget_per_day = ?13,
	heartbeat_spent_today = ?14, delivery_channels = ?15, updated_at = ?16
WHERE id = ?1;

-- name: SCHEDULE_LINK_DOCUMENT
INSERT INTO schedule_document_inputs (id, schedule_id, document_id, created_at)
SELECT ?1, ?2, id, ?4 FROM documents WHERE id = ?3
ON CONFLICT (schedule_id, document_id) DO NOTHING;

-- What goes with a deleted schedule, in this order.
-- name: SCHEDULE_DELETE_DOCUMENTS
DELETE FROM schedule_document_inputs WHERE schedule_id = ?1;
-- name: SCHEDULE_DELETE_TABLES
DELETE FROM schedule_table_inputs WHERE schedule_id = ?1;
-- name: SCHEDULE_DETACH_TASKS
UPDATE tasks SET schedule_id = NULL WHERE schedule_id = ?1;
-- name: SCHEDULE_DETACH_USAGE
UPDATE usage_ledger SET schedule_id = NULL WHERE schedule_id = ?1;
-- name: SCHEDULE_DELETE_FIRINGS
DELETE FROM schedule_firings WHERE schedule_id = ?1;
-- name: SCHEDULE_DELETE
DELETE FROM schedules WHERE id = ?1;

-- name: SCHEDULE_HEARTBEATS
SELECT l.id, l.task_id, l.event, l.payload, l.timestamp FROM agent_logs l
JOIN tasks t ON t.id = l.task_id
WHERE t.schedule_id = ?1 AND l.event IN ('heartbeat_action', 'heartbeat_suppressed')
ORDER BY l.timestamp DESC, l.rowid LIMIT 50;

-- What the job runner looks for: ?1 is the row behind which it goes on, ?2 the time. The plus signs
-- keep the search on the few that are due, whose order it does not have.
-- name: SCHEDULE_NEXT_LAPSED
SELECT rowid, id FROM schedules WHERE status = 'active' AND expires_at <= ?2 AND +rowid > ?1
ORDER BY +rowid LIMIT 1;

-- Without a time although they wait: an older program has written them.
-- name: SCHEDULE_NEXT_UNPLANNED
SELECT s.rowid, s.id FROM schedules s
WHERE s.status = 'active' AND s.next_fire_at IS NULL AND s.rowid > ?1
	AND NOT EXISTS (SELECT 1 FROM schedule_firings f WHERE f.open = 1 AND f.schedule_id = s.id)
ORDER BY s.rowid LIMIT 1;

-- name: SCHEDULE_NEXT_DUE
SELECT rowid, id FROM schedules WHERE status = 'active' AND next_fire_at <= ?2 AND +rowid > ?1
ORDER BY +rowid LIMIT 1;

-- name: FIRING_NEXT_WAITING
SELECT f.id, f.task_id FROM schedule_firings f JOIN tasks t ON t.id = f.task_id
WHERE f.open = 1 AND +t.status = 'queued' AND f.id > ?1 ORDER BY f.id LIMIT 1;

-- The task has begun or is gone; that of a heartbeat has ended, and so has its run.
-- name: FIRING_NEXT_OVER
SELECT f.id, f.task_id FROM schedule_firings f LEFT JOIN tasks t ON t.id = f.task_id
LEFT JOIN engine_runs r ON r.task_id = f.task_id
WHERE f.open = 1 AND f.id > ?1 AND (t.id IS NULL OR (t.status <> 'queued'
	AND (t.source_type IS NOT 'heartbeat' OR (t.status <> 'running' AND r.task_id IS NULL))))
ORDER BY f.id LIMIT 1;

-- name: SCHEDULE_SIZE
SELECT length(name) + length(prompt) + length(cron_expression)
	+ coalesce(length(heartbeat_checklist), 0) + coalesce(length(delivery_channels), 0)
FROM schedules WHERE id = ?1;

-- name: SCHEDULE_LAPSE
UPDATE schedules SET status = 'expired', next_fire_at = NULL, updated_at = ?2
WHERE id = ?1 AND status = 'active';

-- It waits for a person.
-- name: SCHEDULE_SUSPEND
UPDATE schedules SET status = 'paused', next_fire_at = NULL, updated_at = ?2
WHERE id = ?1 AND status = 'active';

-- Whoever changes the row has the firing; ?2 is the time that was found.
-- name: SCHEDULE_CLAIM
UPDATE schedules SET next_fire_at = NULL
WHERE id = ?1 AND status = 'active' AND next_fire_at = ?2;

-- name: SCHEDULE_PLAN
UPDATE schedules SET next_fire_at = ?2 WHERE id = ?1 AND status = 'active';

-- Times that were computed by a clock that was ahead.
-- name: SCHEDULE_FORGET_TIMES
UPDATE schedules SET next_fire_at = NULL WHERE status = 'active' AND next_fire_at > ?1;

-- name: SCHEDULE_IS_BUSY
SELECT 1 FROM tasks WHERE schedule_id = ?1 AND status IN ('queued', 'running')
UNION ALL SELECT 1 FROM schedule_firings WHERE open = 1 AND schedule_id = ?1 LIMIT 1;

-- name: PROJECT_IS_ACTIVE
SELECT 1 FROM projects WHERE id = ?1 AND status = 'active';

-- name: SCHEDULE_RESET_SPENT
UPDATE schedules SET heartbeat_spent_today = 0, heartbeat_budget_reset_at = ?2 WHERE id = ?1;

-- name: FIRING_INSERT
INSERT INTO schedule_firings (schedule_id, instant, task_id, fired_at) VALUES (?1, ?2, ?3, ?4)
ON CONFLICT (schedule_id, instant) DO NOTHING;

-- name: FIRING_MAKE_TASK
INSERT INTO tasks (id, project_id, schedule_id, title, description, status, assigned_agent,
	agent_profile, priority, resume_count, source_type, created_at, updated_at)
SELECT ?2, project_id, id, ?3, ?4, 'queued', assigned_agent, agent_profile, 2, 0, ?5, ?6, ?6
FROM schedules WHERE id = ?1;

-- name: FIRING_LINK_DOCUMENTS
UPDATE documents SET task_id = ?2, project_id = coalesce(?3, project_id), updated_at = ?4
WHERE id IN (SELECT document_id FROM schedule_document_inputs WHERE schedule_id = ?1);

-- One firing more; its state where that ends the schedule, else null.
-- name: SCHEDULE_FIRED
UPDATE schedules SET firing_count = firing_count + 1, last_fired_at = ?2,
	status = coalesce(?3, status), next_fire_at = ?4, updated_at = ?5
WHERE id = ?1;

-- name: SCHEDULE_ACTED
UPDATE schedules SET suppression_count = 0, last_action_at = ?2 WHERE id = ?1;

-- name: SCHEDULE_SUPPRESSED
UPDATE schedules SET suppression_count = suppression_count + 1 WHERE id = ?1;

-- name: SCHEDULE_SET_SPENT
UPDATE schedules SET heartbeat_spent_today = ?2 WHERE id = ?1;

-- The open firing that a task was made by.
-- name: FIRING_OF_TASK
SELECT f.id, f.schedule_id, f.fired_at, t.id,
	CASE WHEN t.status = 'completed' AND t.source_type = 'heartbeat'
		THEN substr(t.result, 1, 1048576) END
FROM schedule_firings f LEFT JOIN tasks t ON t.id = f.task_id
WHERE f.task_id = ?1 AND f.open = 1;

-- name: FIRING_CLOSE
UPDATE schedule_firings SET open = 0 WHERE id = ?1 AND open = 1;

-- name: FIRING_PURGE
DELETE FROM schedule_firings WHERE id IN (SELECT id FROM (SELECT id, fired_at, open
	FROM schedule_firings ORDER BY id LIMIT 500) WHERE open = 0 AND fired_at < ?1);
