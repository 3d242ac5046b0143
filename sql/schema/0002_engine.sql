-- What the engine adds. Times in milliseconds end in _ms; engine_runs keeps seconds.

-- One row for each task that is being executed: which run may write to it.
CREATE TABLE IF NOT EXISTS engine_runs (
	task_id TEXT PRIMARY KEY NOT NULL REFERENCES tasks (id),
	run_id TEXT NOT NULL,
	runtime_id TEXT NOT NULL,
	runner_pid INTEGER NOT NULL DEFAULT 0,
	child_pid INTEGER,
	child_start TEXT,
	is_resume INTEGER NOT NULL DEFAULT 0,
	cancel_requested INTEGER NOT NULL DEFAULT 0,
	started_at INTEGER NOT NULL,
	heartbeat_at INTEGER NOT NULL,
	-- Sums over the finished model calls, so that a restart forgets no spending.
	turns INTEGER NOT NULL DEFAULT 0,
	input_tokens INTEGER,
	output_tokens INTEGER,
	cost_micros INTEGER,
	model_id TEXT,
	pricing_version TEXT,
	-- 0: nothing written yet; 1: under way; 2: parked, waiting for a person.
	begun INTEGER NOT NULL DEFAULT 0,
	-- Text of the turns that were cut at the token limit so far.
	partial_text TEXT,
	-- Weight of the deaths of the run's own process since its last finished turn or step.
	restarts INTEGER NOT NULL DEFAULT 0
);

-- Every tool call of a run under way, so that none is repeated after a crash and every decision is
-- asked for once. Removed with the run.
CREATE TABLE IF NOT EXISTS engine_calls (
	run_id TEXT NOT NULL,
	call_id TEXT NOT NULL,
	seq INTEGER NOT NULL,
	task_id TEXT NOT NULL,
	tool TEXT NOT NULL,
	input TEXT NOT NULL,
	-- new, asked, decided, begun, done
	state TEXT NOT NULL,
	notification_id TEXT,
	allowed INTEGER,
	message TEXT,
	final_input TEXT,
	result TEXT,
	is_error INTEGER,
	PRIMARY KEY (run_id, call_id)
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idx_engine_calls_task ON engine_calls (task_id);

-- Work for the job runner. A leased job belongs to its owner until lease_until_ms; every write of
-- the worker that holds it is conditional on the fence.
CREATE TABLE IF NOT EXISTS jobs (
	id INTEGER PRIMARY KEY AUTOINCREMENT,
	kind TEXT NOT NULL,
	subject TEXT,
	run_id TEXT,
	slot TEXT NOT NULL DEFAULT '',
	-- ready, leased, parked, done, failed
	state TEXT NOT NULL DEFAULT 'ready',
	run_at_ms INTEGER NOT NULL,
	attempts INTEGER NOT NULL DEFAULT 0,
	fence INTEGER NOT NULL DEFAULT 0,
	owner TEXT,
	lease_until_ms INTEGER,
	payload TEXT,
	-- For a client that waits: the HTTP answer.
	result_status INTEGER,
	result TEXT,
	error TEXT,
	created_at_ms INTEGER NOT NULL,
	finished_at_ms INTEGER
) STRICT;
CREATE INDEX IF NOT EXISTS idx_jobs_state ON jobs (state, run_at_ms);
CREATE INDEX IF NOT EXISTS idx_jobs_subject ON jobs (subject, kind);

-- Who changed what, when. Append only, in order of time; kept as long as retention.audit_days says.
-- Without an index or a sequence: every write of the API adds a row, and each page it touches is
-- written twice.
CREATE TABLE IF NOT EXISTS audit (
	id INTEGER PRIMARY KEY,
	at_ms INTEGER NOT NULL,
	actor TEXT NOT NULL,
	op TEXT NOT NULL,
	subject_type TEXT NOT NULL,
	subject TEXT,
	detail TEXT,
	request TEXT
) STRICT;

-- The order of task lists, so that a list of any length is read in order and never sorted.
CREATE INDEX IF NOT EXISTS idx_tasks_order ON tasks (priority, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_tasks_project_order ON tasks (project_id, priority, created_at DESC);
CREATE INDEX IF NOT EXISTS idx_tasks_status_order ON tasks (status, priority, created_at DESC);
-- Open requests, unread and newest notifications.
CREATE INDEX IF NOT EXISTS idx_notifications_unread ON notifications (created_at DESC)
	WHERE read = 0;
CREATE INDEX IF NOT EXISTS idx_notifications_created ON notifications (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_notifications_open ON notifications (created_at DESC)
	WHERE response IS NULL
	AND type IN ('permission_required', 'context_proposal', 'context_proposal_batch');
