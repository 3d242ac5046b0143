-- Workflows, their runs and what these wait for.

-- name: WORKFLOW_LIST
SELECT w.id, w.name, w.project_id, w.definition, w.status, w.run_number, w.created_at, w.updated_at,
	(SELECT count(*) FROM tasks t WHERE t.workflow_id = w.id),
	(SELECT count(*) FROM tasks t JOIN documents d ON d.task_id = t.id
		WHERE t.workflow_id = w.id AND d.direction = 'output')
FROM workflows w ORDER BY w.created_at DESC, w.rowid;

-- For tools: latest updated first.
-- name: WORKFLOW_LIST_UPDATED
SELECT id, name, project_id, status, created_at, updated_at FROM workflows
WHERE (?1 IS NULL OR project_id = ?1) AND (?2 IS NULL OR status = ?2)
ORDER BY updated_at DESC, rowid DESC LIMIT ?3;

-- name: WORKFLOW_STAMPS
SELECT created_at, updated_at FROM workflows WHERE id = ?1;

-- name: WORKFLOW_GET
SELECT @workflow FROM workflows WHERE id = ?1;

-- name: WORKFLOW_LOAD
SELECT project_id, name, definition, status, run_number FROM workflows WHERE id = ?1;

-- name: WORKFLOW_STATUS
SELECT status FROM workflows WHERE id = ?1;

-- name: WORKFLOW_EXISTS
SELECT 1 FROM workflows WHERE id = ?1;

-- name: WORKFLOW_INSERT
INSERT INTO workflows (id, project_id, name, definition, status, run_number, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?6) RETURNING @workflow;

-- name: WORKFLOW_STORE
UPDATE workflows SET definition = ?2, status = ?3, run_number = ?4, updated_at = ?5 WHERE id = ?1;

-- What is null stays as it is.
-- name: WORKFLOW_EDIT
UPDATE workflows SET name = coalesce(?2, name), definition = coalesce(?3, definition),
	status = 'draft', updated_at = ?4
WHERE id = ?1;

-- name: WORKFLOW_PAUSE
UPDATE workflows SET status = 'paused', updated_at = ?2 WHERE id = ?1 AND status = 'active';

-- name: WORKFLOW_SET_STATUS
UPDATE workflows SET status = ?2, updated_at = ?3
WHERE id = ?1 AND status IN ('active', 'paused');

-- name: WORKFLOW_DELETE
DELETE FROM workflows WHERE id = ?1;

-- What goes with a workflow.
-- name: WORKFLOW_DELETE_USAGE
DELETE FROM usage_ledger WHERE workflow_id = ?1
	OR task_id IN (SELECT id FROM tasks WHERE workflow_id = ?1);

-- name: WORKFLOW_TASKS
SELECT id FROM tasks WHERE workflow_id = ?1 ORDER BY rowid;

-- name: WORKFLOW_TASK_DOCUMENTS
SELECT d.id FROM documents d JOIN tasks t ON t.id = d.task_id WHERE t.workflow_id = ?1;

-- name: WORKFLOW_DELETE_DOCUMENTS
DELETE FROM workflow_document_inputs WHERE workflow_id = ?1;

-- name: WORKFLOW_DELETE_TABLES
DELETE FROM workflow_table_inputs WHERE workflow_id = ?1;

-- Open requests, found by the index of those.
-- define: OPEN_CHECKPOINT
response IS NULL AND type IN ('permission_required', 'context_proposal', 'context_proposal_batch')
	AND tool_name = 'WorkflowCheckpoint' AND json_valid(tool_input)
	AND json_extract(tool_input, '$.workflowId') = ?1;

-- name: WORKFLOW_CLOSE_CHECKPOINTS
UPDATE notifications SET response = ?2, responded_at = ?3, read = 1 WHERE $OPEN_CHECKPOINT;

-- name: WORKFLOW_DELETE_WAITS
DELETE FROM workflow_waits WHERE workflow_id = ?1;

-- name: WORKFLOW_DELETE_RUN
DELETE FROM workflow_runs WHERE workflow_id = ?1;

-- Status.
-- name: WORKFLOW_RUNS
SELECT workflow_run_number, count(*), sum(status = 'completed'), sum(status = 'failed') FROM tasks
WHERE workflow_id = ?1 GROUP BY workflow_run_number
ORDER BY workflow_run_number IS NULL, workflow_run_number DESC;

-- name: WORKFLOW_HAS_OUTPUT
SELECT 1 FROM documents WHERE task_id = ?1 AND direction = 'output' LIMIT 1;

-- name: WORKFLOW_OUTPUT_DOCUMENTS
SELECT id, original_name, mime_type, storage_path, direction FROM documents
WHERE task_id = ?1 AND direction = 'output' ORDER BY created_at, rowid;

-- name: WORKFLOW_INPUT_DOCUMENTS
SELECT id, original_name, mime_type, storage_path, direction FROM documents
WHERE task_id = ?1 AND direction = 'input' ORDER BY created_at, rowid;

-- Bindings of documents.
-- name: WORKFLOW_DOCUMENTS
SELECT b.id, b.document_id, b.step_id, b.created_at, d.id, d.original_name, d.filename, d.mime_type,
	d.size, d.direction, d.status, d.category
FROM workflow_document_inputs b LEFT JOIN documents d ON d.id = b.document_id
WHERE b.workflow_id = ?1 ORDER BY b.created_at, b.rowid;

-- Null step ids do not collide in the unique index.
-- name: WORKFLOW_BIND
INSERT INTO workflow_document_inputs (id, workflow_id, document_id, step_id, created_at)
SELECT ?1, ?2, ?3, ?4, ?5 WHERE NOT EXISTS (SELECT 1 FROM workflow_document_inputs
	WHERE workflow_id = ?2 AND document_id = ?3 AND step_id IS ?4);

-- name: WORKFLOW_UNBIND
DELETE FROM workflow_document_inputs
WHERE workflow_id = ?1 AND document_id = ?2 AND (?3 IS NULL OR step_id = ?3);

-- name: WORKFLOW_UNBIND_STEP
DELETE FROM workflow_document_inputs WHERE workflow_id = ?1 AND (?2 IS NULL OR step_id = ?2);

-- The run: what it waits for.
-- name: WORKFLOW_NOTE_RUN
INSERT INTO workflow_runs (workflow_id, context) VALUES (?1, ?2)
ON CONFLICT (workflow_id) DO UPDATE SET context = excluded.context, approved_step = NULL;

-- name: WORKFLOW_APPROVE_STEP
INSERT INTO workflow_runs (workflow_id, approved_step) VALUES (?1, ?2)
ON CONFLICT (workflow_id) DO UPDATE SET approved_step = excluded.approved_step;

-- name: WORKFLOW_NOTE_APPROVAL
INSERT INTO workflow_runs (workflow_id, approved_step)
SELECT x.workflow_id, x.step FROM workflow_waits x JOIN notifications n ON n.id = x.id
WHERE x.id = ?1 AND x.kind = 'approval' AND json_valid(n.response)
	AND json_extract(n.response, '$.behavior') = 'allow'
ON CONFLICT (workflow_id) DO UPDATE SET approved_step = excluded.approved_step;

-- name: WORKFLOW_APPROVED_STEP
SELECT approved_step FROM workflow_runs WHERE workflow_id = ?1 AND approved_step IS NOT NULL;

-- name: WORKFLOW_CONTEXT
SELECT context FROM workflow_runs WHERE workflow_id = ?1;

-- name: WORKFLOW_WAIT
INSERT INTO workflow_waits (id, workflow_id, kind, step, due_ms) VALUES (?1, ?2, ?3, ?4, ?5);

-- name: WORKFLOW_WAIT_OVER
DELETE FROM workflow_waits WHERE id = ?1;

-- name: WORKFLOW_OF_WAIT
SELECT workflow_id FROM workflow_waits WHERE id = ?1;

-- name: WORKFLOW_WAITS_FOR_STEP
SELECT 1 FROM workflow_waits WHERE workflow_id = ?1 AND kind = 'task' AND step = ?2;

-- name: WORKFLOW_TASK_WAITS
SELECT x.id, x.step, t.status, t.result FROM workflow_waits x LEFT JOIN tasks t ON t.id = x.id
WHERE x.workflow_id = ?1 AND x.kind = 'task' ORDER BY x.step;

-- name: WORKFLOW_APPROVAL_WAIT
SELECT x.id, x.due_ms, n.id, n.response
FROM workflow_waits x LEFT JOIN notifications n ON n.id = x.id
WHERE x.workflow_id = ?1 AND x.kind = 'approval' AND x.step = ?2;

-- The open request of a checkpoint that an older program has written.
-- name: WORKFLOW_OLD_REQUEST
SELECT id FROM notifications
WHERE $OPEN_CHECKPOINT AND json_extract(tool_input, '$.stepName') = ?2
ORDER BY created_at DESC, rowid DESC LIMIT 1;

-- Jobs.
-- name: WORKFLOW_JOB_READY
SELECT 1 FROM jobs WHERE subject = ?1 AND kind = 'workflow' AND state = 'ready';

-- name: WORKFLOW_FAILED_JOBS
SELECT count(*) FROM jobs WHERE subject = ?1 AND kind = 'workflow' AND state = 'failed';

-- name: WORKFLOW_FORGET_FAILED_JOBS
DELETE FROM jobs WHERE subject = ?1 AND kind = 'workflow' AND state = 'failed';

-- The end of a session that is under way counts as done.
-- name: WORKFLOW_CLOSE_NOW
UPDATE jobs SET state = 'done', finished_at_ms = ?2
WHERE subject = ?1 AND kind = 'learn_close' AND state IN ('ready', 'leased');

-- Workflows that could move on and have no job for it.
-- name: WORKFLOW_STALE
SELECT s.id FROM (
	SELECT w.id FROM workflows w WHERE w.status = 'active'
		AND NOT EXISTS (SELECT 1 FROM workflow_waits x WHERE x.workflow_id = w.id)
	UNION
	SELECT x.workflow_id FROM workflow_waits x LEFT JOIN tasks t ON t.id = x.id
	WHERE x.kind = 'task' AND (t.id IS NULL OR t.status <> 'running')
	UNION
	SELECT x.workflow_id FROM workflow_waits x LEFT JOIN notifications n ON n.id = x.id
	LEFT JOIN workflows w ON w.id = x.workflow_id
	WHERE x.kind = 'approval' AND (w.id IS NULL OR (w.status = 'active'
		AND (n.id IS NULL OR n.response IS NOT NULL OR x.due_ms <= ?1)))) AS s
WHERE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.subject = s.id AND j.kind = 'workflow'
	AND j.state IN ('ready', 'leased'))
LIMIT 100;
