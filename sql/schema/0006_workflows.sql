-- What workflows add. The state of a run stands in the definition, where clients read it; these
-- tables have what clients do not see.

-- What a run waits for. A task that runs a step: id is the task's. A person's answer before a step:
-- id is the notification's, due_ms the time at which it counts as a denial (null: never). A row goes
-- in the transaction that takes the outcome over, so that none is taken over twice.
CREATE TABLE IF NOT EXISTS workflow_waits (
	id TEXT PRIMARY KEY NOT NULL,
	workflow_id TEXT NOT NULL,
	-- task, approval
	kind TEXT NOT NULL,
	step INTEGER NOT NULL,
	due_ms INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX IF NOT EXISTS idx_workflow_waits_workflow ON workflow_waits (workflow_id);

-- The latest run: the text that its steps are given besides their prompts, and the step that needs
-- no approval any more, because it was given or the step is retried.
CREATE TABLE IF NOT EXISTS workflow_runs (
	workflow_id TEXT PRIMARY KEY NOT NULL,
	context TEXT,
	approved_step INTEGER
) STRICT, WITHOUT ROWID;

CREATE INDEX IF NOT EXISTS idx_workflows_created_at ON workflows (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_workflows_status ON workflows (status);
CREATE INDEX IF NOT EXISTS idx_workflows_project_id ON workflows (project_id);
