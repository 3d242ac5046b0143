-- What the operator's program shows.

-- name: CTL_TASK_COUNTS
SELECT status, count(*) FROM tasks GROUP BY status ORDER BY status;

-- name: CTL_JOB_COUNTS
SELECT state, count(*) FROM jobs GROUP BY state ORDER BY state;

-- name: CTL_RUNS
SELECT t.id, t.title, r.runtime_id, r.turns, r.cost_micros, r.started_at, j.state
FROM engine_runs r JOIN tasks t ON t.id = r.task_id
LEFT JOIN jobs j ON j.run_id = r.run_id
ORDER BY r.started_at, r.task_id;

-- name: CTL_JOBS
SELECT id, kind, coalesce(subject, '-'), slot, state, attempts, run_at_ms, coalesce(error, '')
FROM jobs WHERE state <> 'done' OR ?1 ORDER BY id DESC LIMIT ?2;

-- A request without a task names who asked, where the audit knows. One to approve a handoff has no
-- tool.
-- name: CTL_APPROVALS
SELECT n.id, n.created_at, n.type, coalesce(n.tool_name, 'handoff'), coalesce(n.tool_input, ''),
	coalesce(t.title, (SELECT a.actor FROM audit a
		WHERE a.op = 'approval.ask' AND a.subject = n.id), '-'),
	t.id, coalesce(n.body, '')
FROM notifications n LEFT JOIN tasks t ON t.id = n.task_id
WHERE n.response IS NULL AND (n.tool_name IS NOT NULL OR n.type = 'agent_message')
	AND n.type IN ('permission_required', 'agent_message', 'context_proposal',
		'context_proposal_batch')
ORDER BY n.created_at, n.rowid LIMIT 200;

-- name: CTL_NOTIFICATION_TYPE
SELECT type FROM notifications WHERE id = ?1;

-- name: CTL_SPEND
SELECT coalesce(sum(cost_micros), 0) FROM usage_ledger WHERE finished_at >= ?1;

-- name: CTL_AUDIT
SELECT at_ms, actor, op, subject_type, coalesce(subject, '-'), coalesce(detail, ''),
	coalesce(request, '-')
FROM audit WHERE ?1 IS NULL OR subject = ?1 ORDER BY id DESC LIMIT ?2;

-- name: CTL_INTEGRITY
SELECT quick_check FROM pragma_quick_check LIMIT 1;
