-- Learned context: rows are only ever added. PROMPT_LEARNED has the current text.

-- name: CONTEXT_VERSION
SELECT coalesce(max(version), 0) FROM learned_context WHERE profile_id = ?1;

-- name: CONTEXT_INSERT
INSERT INTO learned_context (id, profile_id, version, content, diff, change_type, source_task_id,
	proposal_notification_id, proposed_additions, approved_by, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11);

-- A proposal, and whether it is decided.
-- name: CONTEXT_PROPOSAL
SELECT p.profile_id, p.source_task_id, p.proposal_notification_id,
	coalesce(p.proposed_additions, ''), EXISTS (SELECT 1 FROM learned_context d
		WHERE d.profile_id = p.profile_id AND d.version > p.version
		AND d.change_type IN ('approved', 'rejected')
		AND CASE WHEN p.proposal_notification_id IS NOT NULL
			THEN d.proposal_notification_id = p.proposal_notification_id
			ELSE d.proposal_notification_id IS NULL
				AND coalesce(d.source_task_id, '') = coalesce(p.source_task_id, '')
				AND coalesce(d.proposed_additions, '') = coalesce(p.proposed_additions, '')
			END)
FROM learned_context p WHERE p.id = ?1 AND p.change_type = 'proposal';

-- name: CONTEXT_OPEN_BATCHES
SELECT id, tool_input FROM notifications
WHERE type = 'context_proposal_batch' AND response IS NULL ORDER BY created_at, rowid;

-- A workflow has an open session from its start to its end, pauses included, and until its batch is
-- written.
-- name: CONTEXT_SESSION_OF_TASK
SELECT 1 FROM tasks t JOIN workflows w ON w.id = t.workflow_id
WHERE t.id = ?1 AND (w.status IN ('active', 'paused') OR EXISTS (SELECT 1 FROM jobs j
	WHERE j.subject = w.id AND j.kind = 'learn_close' AND j.state IN ('ready', 'leased')));

-- Extractions of a workflow's tasks that are still to come.
-- name: CONTEXT_EXTRACTIONS_LEFT
SELECT count(*) FROM jobs j JOIN tasks t ON t.id = j.subject
WHERE t.workflow_id = ?1 AND j.kind = 'learn' AND j.state IN ('ready', 'leased');

-- What a workflow's current run has collected and no batch lists yet; and what was learned too late
-- from the run before.
-- name: CONTEXT_COLLECTED
SELECT p.id, p.profile_id, coalesce(p.proposed_additions, '')
FROM learned_context p JOIN tasks t ON t.id = p.source_task_id
JOIN workflows w ON w.id = t.workflow_id
WHERE w.id = ?1 AND p.change_type = 'proposal' AND p.proposal_notification_id IS NULL
	AND (t.workflow_run_number IS NULL OR t.workflow_run_number >= w.run_number - 1)
	AND NOT EXISTS (SELECT 1 FROM notifications n WHERE n.type = 'context_proposal_batch'
		AND n.tool_input LIKE '%"' || p.id || '"%')
ORDER BY p.rowid LIMIT 500;

-- name: CONTEXT_NEWEST_LOGS
SELECT event, coalesce(payload, '') FROM agent_logs WHERE task_id = ?1
ORDER BY timestamp DESC, rowid DESC LIMIT 20;

-- name: CONTEXT_HISTORY
SELECT @learned FROM learned_context WHERE profile_id = ?1 ORDER BY version DESC, rowid DESC;

-- name: CONTEXT_PROPOSAL_ASKED
SELECT id FROM learned_context
WHERE profile_id = ?1 AND proposal_notification_id = ?2 AND change_type = 'proposal'
ORDER BY version DESC LIMIT 1;

-- name: CONTEXT_OF_VERSION
SELECT content FROM learned_context WHERE profile_id = ?1 AND version = ?2
ORDER BY rowid DESC LIMIT 1;

-- The job that condenses the profile's text, waiting or at work.
-- name: CONTEXT_CONDENSE_JOB
SELECT id FROM jobs WHERE kind = 'condense' AND subject = ?1 AND state = 'ready'
ORDER BY id DESC LIMIT 1;
