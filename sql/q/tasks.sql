-- Tasks, their logs, and what hangs on them.

-- The lists, in order of priority, then newest, then insertion, from behind a given row on
-- (priority, created_at, rowid; to begin at the start: one below all, any, any). A limit of -1 is none.
-- name: TASK_LIST
SELECT @task, rowid FROM tasks
WHERE priority >= ?1 AND (priority > ?1 OR created_at < ?2
	OR (created_at = ?2 AND rowid > ?3))
ORDER BY priority, created_at DESC, rowid LIMIT ?4;

-- name: TASK_LIST_PROJECT
SELECT @task, rowid FROM tasks
WHERE project_id = ?1 AND priority >= ?2 AND (priority > ?2 OR created_at < ?3
	OR (created_at = ?3 AND rowid > ?4))
ORDER BY priority, created_at DESC, rowid LIMIT ?5;

-- name: TASK_LIST_STATUS
SELECT @task, rowid FROM tasks
WHERE status = ?1 AND priority >= ?2 AND (priority > ?2 OR created_at < ?3
	OR (created_at = ?3 AND rowid > ?4))
ORDER BY priority, created_at DESC, rowid LIMIT ?5;

-- name: TASK_LIST_PROJECT_STATUS
SELECT @task, rowid FROM tasks
WHERE project_id = ?1 AND status = ?2 AND priority >= ?3 AND (priority > ?3 OR created_at < ?4
	OR (created_at = ?4 AND rowid > ?5))
ORDER BY priority, created_at DESC, rowid LIMIT ?6;

-- name: TASK_GET
SELECT @task FROM tasks WHERE id = ?1;

-- name: TASK_GET_FULL
SELECT @task(t), p.name, w.name, s.name FROM tasks t
LEFT JOIN projects p ON p.id = t.project_id
LEFT JOIN workflows w ON w.id = t.workflow_id
LEFT JOIN schedules s ON s.id = t.schedule_id
WHERE t.id = ?1;

-- name: TASK_USAGE
SELECT sum(input_tokens), sum(output_tokens), sum(total_tokens), sum(cost_micros), max(model_id),
	min(started_at), max(finished_at), count(total_tokens)
FROM usage_ledger WHERE task_id = ?1;

-- name: TASK_EXISTS
SELECT 1 FROM tasks WHERE id = ?1;

-- name: TASK_INSERT
INSERT INTO tasks (id, project_id, title, description, status, assigned_agent, agent_profile,
	priority, resume_count, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, 'planned', ?5, ?6, ?7, 0, ?8, ?8) RETURNING @task;

-- A step's task; the run number is null before it is run.
-- name: TASK_INSERT_STEP
INSERT INTO tasks (id, project_id, workflow_id, title, description, status, assigned_agent,
	agent_profile, priority, resume_count, workflow_run_number, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 0, ?10, ?11, ?11);

-- Absent fields come as null and leave the column as it is.
-- name: TASK_UPDATE
UPDATE tasks SET title = coalesce(?2, title), description = coalesce(?3, description),
	status = coalesce(?4, status), priority = coalesce(?5, priority),
	assigned_agent = coalesce(?6, assigned_agent),
	agent_profile = coalesce(?7, agent_profile), result = coalesce(?8, result),
	session_id = coalesce(?9, session_id), updated_at = ?10
WHERE id = ?1;

-- name: TASK_DELETE
DELETE FROM tasks WHERE id = ?1;

-- name: TASK_CLAIM_QUEUED
UPDATE tasks SET status = 'running', updated_at = ?2 WHERE id = ?1 AND status = 'queued';

-- name: TASK_CLAIM_RESUME
UPDATE tasks SET status = 'running', resume_count = resume_count + 1, updated_at = ?2
WHERE id = ?1 AND status IN ('failed', 'cancelled');

-- name: TASK_CANCEL
UPDATE tasks SET status = 'cancelled', updated_at = ?2
WHERE id = ?1 AND status IN ('planned', 'queued', 'running');

-- name: TASK_SET_PROFILE
UPDATE tasks SET agent_profile = ?2 WHERE id = ?1;

-- name: TASK_FAIL
UPDATE tasks SET status = 'failed', result = ?2, updated_at = ?3 WHERE id = ?1;

-- A task that may not begin.
-- name: TASK_REFUSE
UPDATE tasks SET status = 'failed', result = ?2, updated_at = ?3 WHERE id = ?1 AND status = 'queued';

-- name: TASK_SIBLINGS
SELECT s.id, s.title, s.status, s.created_at FROM tasks t JOIN tasks s
	ON s.workflow_id = t.workflow_id AND s.workflow_run_number IS t.workflow_run_number
WHERE t.id = ?1 AND s.id <> t.id ORDER BY s.created_at, s.rowid;

-- A checkpoint of the latest run, or of the one that it resumed.
-- name: TASK_HAS_CHECKPOINT
SELECT 1 FROM agent_logs WHERE task_id = ?1 AND event IN ('session_snapshot', 'openai_response_id')
	AND rowid > coalesce((SELECT max(rowid) FROM agent_logs
		WHERE task_id = ?1 AND event = 'started'), 0)
LIMIT 1;

-- Documents of a task.
-- name: TASK_LINK_DOCUMENT
UPDATE documents SET task_id = ?2, project_id = coalesce(?3, project_id), updated_at = ?4
WHERE id = ?1;

-- name: TASK_DOCUMENT_IDS
SELECT id FROM documents WHERE task_id = ?1;

-- name: TASK_UNLINK_DOCUMENT
UPDATE documents SET task_id = NULL, updated_at = ?2 WHERE id = ?1;

-- Provenance.
-- name: TASK_PROVENANCE
SELECT kind, at, event, detail, status FROM (
	SELECT 0 AS kind, timestamp AS at, event, payload AS detail, NULL AS status, rowid AS r FROM (
		SELECT timestamp, event, payload, rowid FROM agent_logs WHERE task_id = ?1
		ORDER BY timestamp DESC, rowid DESC LIMIT 100)
	UNION ALL
	SELECT 1, created_at, 'permission_required', body, coalesce(response, 'pending'), rowid
	FROM notifications WHERE task_id = ?1 AND type = 'permission_required'
	UNION ALL
	SELECT 2, finished_at, 'usage', coalesce(input_tokens, 0) || ' in / '
		|| coalesce(output_tokens, 0) || ' out tokens', NULL, rowid
	FROM usage_ledger WHERE task_id = ?1)
ORDER BY at DESC, kind, r;

-- name: TASK_APPROVAL_COUNT
SELECT count(*) FROM notifications WHERE task_id = ?1 AND type = 'permission_required';

-- name: TASK_TOTAL_COST
SELECT sum(cost_micros) FROM usage_ledger WHERE task_id = ?1;

-- name: TASK_TOOL_COUNT
SELECT count(*) FROM (SELECT event FROM agent_logs WHERE task_id = ?1
	ORDER BY timestamp DESC, rowid DESC LIMIT 100) WHERE event = 'tool_start';

-- name: TASK_GET_STAMPS
SELECT t.created_at, t.updated_at, t.source_type, s.type FROM tasks t
LEFT JOIN schedules s ON s.id = t.schedule_id WHERE t.id = ?1;

-- name: TASK_LAST_LOG
SELECT max(rowid) FROM agent_logs WHERE task_id = ?1;
