-- Imports into tables that are stored in more than one transaction: how far each has come. A row
-- goes with the last of them, or when what was stored has been taken out again.
CREATE TABLE IF NOT EXISTS table_imports_open (
	id TEXT PRIMARY KEY NOT NULL,
	-- The job that does it, or undoes it; 0: an agent's tool.
	job_id INTEGER NOT NULL,
	table_id TEXT NOT NULL,
	rows_done INTEGER NOT NULL,
	touched_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idx_table_imports_open_job ON table_imports_open (job_id);
