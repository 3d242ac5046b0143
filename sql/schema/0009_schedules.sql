-- What the scheduler adds.

-- One row for each instant at which a schedule has fired: none fires twice, however many look. A row
-- is open until its task has begun or, of a heartbeat, until its end was looked at.
CREATE TABLE IF NOT EXISTS schedule_firings (
	id INTEGER PRIMARY KEY,
	schedule_id TEXT NOT NULL,
	instant INTEGER NOT NULL,
	task_id TEXT NOT NULL,
	fired_at INTEGER NOT NULL,
	open INTEGER NOT NULL DEFAULT 1,
	UNIQUE (schedule_id, instant)
) STRICT;
CREATE INDEX IF NOT EXISTS idx_schedule_firings_task ON schedule_firings (task_id);
CREATE INDEX IF NOT EXISTS idx_schedule_firings_open ON schedule_firings (id) WHERE open = 1;

-- What the job runner looks for all the time.
CREATE INDEX IF NOT EXISTS idx_schedules_due ON schedules (status, next_fire_at);
CREATE INDEX IF NOT EXISTS idx_schedules_expiry ON schedules (status, expires_at);
