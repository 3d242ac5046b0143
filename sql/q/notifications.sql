-- Notifications and pending approvals.

-- name: NOTIFICATION_INSERT
INSERT INTO notifications (id, task_id, type, title, body, read, tool_name, tool_input, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8);

-- name: NOTIFICATION_GET
SELECT @notification FROM notifications WHERE id = ?1;

-- Up to three types; all of them where the first is null.
-- name: NOTIFICATION_LIST
SELECT @notification FROM notifications
WHERE ?1 IS NULL OR type IN (?1, ?2, ?3) ORDER BY created_at DESC, rowid LIMIT 100;

-- name: NOTIFICATION_LIST_UNREAD
SELECT @notification FROM notifications
WHERE read = 0 AND (?1 IS NULL OR type IN (?1, ?2, ?3)) ORDER BY created_at DESC, rowid LIMIT 100;

-- name: NOTIFICATION_COUNT_UNREAD
SELECT count(*) FROM notifications
WHERE read = 0 AND (?1 IS NULL OR type IN (?1, ?2, ?3));

-- name: NOTIFICATION_SET_READ
UPDATE notifications SET read = ?2 WHERE id = ?1;

-- name: NOTIFICATION_READ_ALL
UPDATE notifications SET read = 1 WHERE read = 0;

-- name: NOTIFICATION_DELETE
DELETE FROM notifications WHERE id = ?1;

-- One decision a request: the row count says who was first.
-- name: NOTIFICATION_RESPOND
UPDATE notifications SET response = ?2, responded_at = ?3, read = 1
WHERE id = ?1 AND response IS NULL;

-- name: NOTIFICATION_CLOSE_OF_TASK
UPDATE notifications SET response = ?2, responded_at = ?3, read = 1
WHERE task_id = ?1 AND response IS NULL AND type IN ('permission_required', 'agent_message')
	AND tool_name IS NOT NULL;

-- Requests of other programs' agents, which have neither a task nor a workflow.
-- name: NOTIFICATION_CLOSE_LOST
UPDATE notifications SET response = ?1, responded_at = ?2, read = 1
WHERE task_id IS NULL AND response IS NULL AND type = 'permission_required'
	AND tool_name <> 'WorkflowCheckpoint' AND created_at < ?3;

-- name: NOTIFICATION_DELETE_OF_TASK
DELETE FROM notifications WHERE task_id = ?1;

-- name: NOTIFICATION_PENDING
SELECT @notification(n), t.title, t.workflow_id, w.name
FROM notifications n LEFT JOIN tasks t ON t.id = n.task_id
LEFT JOIN workflows w ON w.id = t.workflow_id
WHERE n.response IS NULL
	AND n.type IN ('permission_required', 'context_proposal', 'context_proposal_batch')
ORDER BY n.created_at DESC, n.rowid LIMIT 20;

-- name: WORKFLOW_NAME
SELECT name FROM workflows WHERE id = ?1;

-- name: NOTIFICATION_REQUEST
SELECT task_id, tool_name, tool_input, response FROM notifications WHERE id = ?1;

-- name: NOTIFICATION_OPEN
SELECT 1 FROM notifications WHERE id = ?1 AND response IS NULL;

-- name: NOTIFICATION_CREATED
SELECT created_at FROM notifications WHERE id = ?1;
