-- What the stream hub reads. The row number of agent_logs is the cursor of the log streams.

-- name: STREAM_LOGS
SELECT rowid, task_id, event, timestamp, @log FROM agent_logs
WHERE rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3;

-- name: STREAM_TASK_LOGS
SELECT rowid, task_id, event, timestamp, @log FROM agent_logs
WHERE task_id = ?4 AND rowid > ?1 AND rowid <= ?2 ORDER BY rowid LIMIT ?3;

-- The newest rows, to find where a stream begins that wants only the last few.
-- name: STREAM_LOGS_DOWN
SELECT rowid, task_id, event, timestamp FROM agent_logs
WHERE rowid <= ?1 ORDER BY rowid DESC LIMIT ?2;

-- name: STREAM_TASK_LOGS_DOWN
SELECT rowid, task_id, event, timestamp FROM agent_logs
WHERE task_id = ?3 AND rowid <= ?1 ORDER BY rowid DESC LIMIT ?2;

-- name: STREAM_LOGS_SINCE
SELECT rowid FROM agent_logs WHERE timestamp >= ?1 ORDER BY timestamp, rowid LIMIT 1;

-- name: STREAM_LOG_IDS
SELECT rowid, id FROM agent_logs ORDER BY rowid DESC LIMIT ?1;

-- name: STREAM_LOG_ID
SELECT id FROM agent_logs WHERE rowid = ?1;

-- name: STREAM_TASK_STATUS
SELECT status FROM tasks WHERE id = ?1;

-- What the list of pending approvals is made of; the same rows in the same order.
-- name: STREAM_APPROVALS
SELECT id, created_at FROM notifications
WHERE response IS NULL
	AND type IN ('permission_required', 'context_proposal', 'context_proposal_batch')
ORDER BY created_at DESC, rowid LIMIT 20;

-- name: STREAM_JOB
SELECT state, result_status, result FROM jobs WHERE id = ?1;
