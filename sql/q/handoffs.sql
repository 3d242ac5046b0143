-- Handoffs.

-- State and recipient may be null: any.
-- name: HANDOFF_LIST
SELECT @handoff FROM agent_messages
WHERE (?1 IS NULL OR status = ?1) AND (?2 IS NULL OR to_profile_id = ?2)
ORDER BY created_at DESC, rowid LIMIT 100;

-- name: HANDOFF_GET
SELECT @handoff FROM agent_messages WHERE id = ?1;

-- name: HANDOFF_STATUS
SELECT status FROM agent_messages WHERE id = ?1;

-- name: HANDOFF_DEPTH
SELECT chain_depth FROM agent_messages WHERE id = ?1;

-- name: HANDOFF_OF_TARGET
SELECT id FROM agent_messages WHERE target_task_id = ?1
ORDER BY created_at DESC, rowid DESC LIMIT 1;

-- name: HANDOFF_INSERT
INSERT INTO agent_messages (id, from_profile_id, to_profile_id, task_id, subject, body, priority,
	status, requires_approval, parent_message_id, chain_depth, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12);

-- Each change of state is one conditional update, whose row count decides.
-- name: HANDOFF_DECIDE
UPDATE agent_messages SET status = ?2, approved_by = ?3, responded_at = ?4
WHERE id = ?1 AND status = 'pending';

-- name: HANDOFF_EXPIRE
UPDATE agent_messages SET status = 'expired', responded_at = ?2
WHERE id = ?1 AND status IN ('pending', 'accepted') AND expires_at <= ?2;

-- name: HANDOFF_CLAIM
UPDATE agent_messages SET status = 'in_progress', responded_at = ?2
WHERE id = ?1 AND status = 'accepted' AND (expires_at IS NULL OR expires_at > ?2);

-- name: HANDOFF_COMPLETE
UPDATE agent_messages SET status = 'completed', attachments = ?2, responded_at = ?3
WHERE id = ?1 AND status = 'in_progress';

-- The task of a claimed one. Older programs have stored any priority.
-- name: HANDOFF_MAKE_TASK
INSERT INTO tasks (id, project_id, title, description, status, agent_profile, priority,
	resume_count, source_type, created_at, updated_at)
SELECT ?2, (SELECT project_id FROM tasks WHERE id = m.task_id), 'Handoff: ' || m.subject, m.body,
	'queued', m.to_profile_id, CASE WHEN m.priority IN (0, 1, 2, 3) THEN m.priority ELSE 2 END,
	0, 'manual', ?3, ?3
FROM agent_messages m WHERE m.id = ?1;

-- name: HANDOFF_SET_TARGET
UPDATE agent_messages SET target_task_id = ?2 WHERE id = ?1;

-- What the job runner looks for, the oldest first.
-- name: HANDOFF_NEXT_DUE
SELECT id FROM agent_messages
WHERE status IN ('pending', 'accepted') AND expires_at <= ?1 LIMIT 1;

-- name: HANDOFF_NEXT_ACCEPTED
SELECT id FROM agent_messages WHERE status = 'accepted' ORDER BY created_at, rowid LIMIT 1;

-- name: HANDOFF_NEXT_WAITING
SELECT t.id FROM agent_messages m JOIN tasks t ON t.id = m.target_task_id
WHERE m.status = 'in_progress' AND t.status = 'queued' ORDER BY m.created_at, m.rowid LIMIT 1;

-- name: HANDOFF_NEXT_OVER
SELECT m.id FROM agent_messages m LEFT JOIN tasks t ON t.id = m.target_task_id
WHERE m.status = 'in_progress'
	AND (t.id IS NULL OR t.status IN ('completed', 'failed', 'cancelled'))
ORDER BY m.created_at, m.rowid LIMIT 1;

-- name: HANDOFF_UNDER_WAY
SELECT id FROM agent_messages WHERE target_task_id = ?1 AND status = 'in_progress';

-- name: HANDOFF_RESULT
SELECT substr(t.result, 1, 1048576)
FROM agent_messages m JOIN tasks t ON t.id = m.target_task_id WHERE m.id = ?1;
