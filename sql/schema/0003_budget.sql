-- Spend caps: which jobs have passed the check and are not in the ledger yet. A row counts while its
-- job is under way, and goes with it.
CREATE TABLE IF NOT EXISTS budget_reservations (
	job_id INTEGER PRIMARY KEY REFERENCES jobs (id) ON DELETE CASCADE,
	runtime_id TEXT NOT NULL,
	created_at_ms INTEGER NOT NULL
) STRICT;

-- The sums of a month, and the last costs of a runtime, without touching the rows.
CREATE INDEX IF NOT EXISTS idx_usage_ledger_spend ON usage_ledger (finished_at, runtime_id, cost_micros);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_recent
	ON usage_ledger (runtime_id, status, finished_at, cost_micros);
