-- Spend caps: sums over the ledger, and what is under way.

-- The month from ?1 to before ?2, and in it the day from ?3 to before ?4.
-- name: BUDGET_SPENT
SELECT runtime_id, coalesce(sum(cost_micros), 0),
	coalesce(sum(CASE WHEN finished_at >= ?3 AND finished_at < ?4 THEN cost_micros END), 0)
FROM usage_ledger WHERE finished_at >= ?1 AND finished_at < ?2 GROUP BY runtime_id;

-- Mean cost of the last 20 completed activities of a runtime; null where there is none.
-- name: BUDGET_MEAN
SELECT avg(cost_micros) FROM (SELECT cost_micros FROM usage_ledger
	WHERE runtime_id = ?1 AND status = 'completed' AND cost_micros IS NOT NULL
	ORDER BY finished_at DESC LIMIT 20) AS recent;

-- What the activities of a runtime that are under way will have cost: ?2 each, or more where more is
-- spent already; all but that of job ?3.
-- name: BUDGET_RUNNING
SELECT coalesce(sum(CASE WHEN coalesce(r.cost_micros, 0) > ?2 THEN r.cost_micros ELSE ?2 END), 0)
FROM budget_reservations b JOIN jobs j ON j.id = b.job_id
LEFT JOIN engine_runs r ON r.task_id = j.subject AND r.run_id = j.run_id
WHERE b.runtime_id = ?1 AND b.job_id <> ?3 AND j.state IN ('ready', 'leased', 'parked');

-- name: BUDGET_RESERVE
INSERT INTO budget_reservations (job_id, runtime_id, created_at_ms) VALUES (?1, ?2, ?3)
ON CONFLICT (job_id) DO UPDATE SET runtime_id = excluded.runtime_id;

-- name: BUDGET_RELEASE_ENDED
DELETE FROM budget_reservations WHERE job_id NOT IN
	(SELECT id FROM jobs WHERE state IN ('ready', 'leased', 'parked'));
