-- The usage ledger and the reports over it.

-- Unknown numbers come as -1.
-- name: USAGE_INSERT
INSERT INTO usage_ledger (id, task_id, workflow_id, schedule_id, project_id, activity_type,
	runtime_id, provider_id, model_id, status, input_tokens, output_tokens, total_tokens,
	cost_micros, pricing_version, started_at, finished_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, nullif(?11, -1), nullif(?12, -1),
	nullif(?13, -1), nullif(?14, -1), ?15, ?16, ?17);

-- One day, from ?1 to before ?2.
-- name: USAGE_DAY
SELECT count(*), sum(cost_micros), sum(input_tokens), sum(output_tokens), sum(total_tokens)
FROM usage_ledger WHERE finished_at >= ?1 AND finished_at < ?2;

-- name: USAGE_BREAKDOWN
SELECT provider_id, model_id, runtime_id, coalesce(sum(cost_micros), 0) AS cost,
	sum(input_tokens), sum(output_tokens), sum(total_tokens), count(*),
	sum(CASE WHEN status = 'unknown_pricing' THEN 1 ELSE 0 END)
FROM usage_ledger WHERE finished_at >= ?1
GROUP BY provider_id, model_id, runtime_id
ORDER BY cost DESC, provider_id, model_id, runtime_id;
