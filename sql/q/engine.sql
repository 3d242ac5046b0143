-- Runs, their calls, and jobs.

-- name: RUN_UPSERT
INSERT INTO engine_runs (task_id, run_id, runtime_id, is_resume, started_at, heartbeat_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?5)
ON CONFLICT (task_id) DO UPDATE SET run_id = excluded.run_id, runtime_id = excluded.runtime_id,
	runner_pid = 0, child_pid = NULL, child_start = NULL, is_resume = excluded.is_resume,
	cancel_requested = 0, started_at = excluded.started_at,
	heartbeat_at = excluded.heartbeat_at, turns = 0, input_tokens = NULL, output_tokens = NULL,
	cost_micros = NULL, model_id = NULL, pricing_version = NULL, begun = 0,
	partial_text = NULL, restarts = 0;

-- name: RUN_GET
SELECT run_id, is_resume, cancel_requested, started_at, turns, input_tokens, output_tokens,
	cost_micros, model_id, pricing_version, begun, partial_text, restarts
FROM engine_runs WHERE task_id = ?1;

-- Whether a run may still write: it is the task's current one, and the task is still running.
-- name: RUN_HOLDS
SELECT 1 FROM engine_runs r JOIN tasks t ON t.id = r.task_id
JOIN jobs j ON j.id = ?3 AND j.fence = ?4 AND j.state = 'leased'
WHERE r.task_id = ?1 AND r.run_id = ?2 AND r.cancel_requested = 0 AND t.status = 'running';

-- name: RUN_BEGIN
UPDATE engine_runs SET begun = 1, runner_pid = ?3, heartbeat_at = ?4
WHERE task_id = ?1 AND run_id = ?2;

-- name: RUN_SET_CHILD
UPDATE engine_runs SET child_pid = ?3, child_start = ?4 WHERE task_id = ?1 AND run_id = ?2;

-- Programs that runs have started.
-- name: RUN_CHILDREN
SELECT child_pid, child_start, run_id FROM engine_runs WHERE child_pid > 1 AND child_start IS NOT NULL;

-- name: RUN_PARK
UPDATE engine_runs SET begun = 2, runner_pid = 0, child_pid = NULL, child_start = NULL
WHERE task_id = ?1 AND run_id = ?2;

-- name: RUN_SAVE_TURN
UPDATE engine_runs SET turns = ?3, input_tokens = ?4, output_tokens = ?5, cost_micros = ?6,
	model_id = ?7, pricing_version = ?8, partial_text = ?9, restarts = 0
WHERE task_id = ?1 AND run_id = ?2;

-- name: RUN_REQUEST_CANCEL
UPDATE engine_runs SET cancel_requested = 1 WHERE task_id = ?1;

-- name: RUN_EXISTS
SELECT 1 FROM engine_runs WHERE task_id = ?1;

-- What a run has used that no process works on.
-- name: RUN_UNATTENDED
SELECT r.is_resume, r.runtime_id, r.started_at, r.input_tokens, r.output_tokens, r.cost_micros,
	r.model_id, r.pricing_version
FROM engine_runs r WHERE r.task_id = ?1 AND r.input_tokens IS NOT NULL AND EXISTS (
	SELECT 1 FROM jobs j WHERE j.run_id = r.run_id AND j.state IN ('parked', 'ready'));

-- name: RUN_DELETE
DELETE FROM engine_runs WHERE task_id = ?1;

-- name: RUN_DELETE_OWN
DELETE FROM engine_runs WHERE task_id = ?1 AND run_id = ?2;

-- name: RUN_COUNT_DEATH
UPDATE engine_runs SET restarts = restarts + ?3, runner_pid = 0 WHERE task_id = ?1 AND run_id = ?2;

-- name: RUN_PROGRESS
UPDATE engine_runs SET restarts = 0 WHERE task_id = ?1 AND run_id = ?2 AND restarts > 0;

-- name: RUN_HEARTBEAT
UPDATE engine_runs SET heartbeat_at = ?1
WHERE run_id IN (SELECT run_id FROM jobs WHERE state = 'leased' AND owner = ?2);

-- The end of a run writes the task only where it is still running under this run.
-- name: RUN_END_TASK
UPDATE tasks SET status = ?3, result = coalesce(?4, result), updated_at = ?5
WHERE id = ?1 AND status = 'running'
	AND EXISTS (SELECT 1 FROM engine_runs WHERE task_id = ?1 AND run_id = ?2);

-- name: TASK_SET_SESSION
UPDATE tasks SET session_id = ?2 WHERE id = ?1;

-- Log rows.
-- name: LOG_INSERT
INSERT INTO agent_logs (id, task_id, agent_type, event, payload, timestamp)
VALUES (?1, ?2, ?3, ?4, ?5, ?6);

-- name: LOG_NEWEST_SNAPSHOT
SELECT payload FROM agent_logs WHERE task_id = ?1 AND event = 'session_snapshot'
ORDER BY rowid DESC LIMIT 1;

-- name: LOG_NEWEST_RESPONSE
SELECT payload FROM agent_logs WHERE task_id = ?1 AND event = 'openai_response_id'
ORDER BY rowid DESC LIMIT 1;

-- name: LOG_SNAPSHOT_SIZES
SELECT rowid, length(payload) FROM agent_logs WHERE task_id = ?1 AND event = 'session_snapshot'
ORDER BY rowid DESC;

-- name: LOG_THIN
UPDATE agent_logs SET payload = '{"messages":[]}' WHERE rowid = ?1;

-- Tool calls of a run.
-- name: CALL_INSERT
INSERT INTO engine_calls (run_id, call_id, seq, task_id, tool, input, state)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'new') ON CONFLICT (run_id, call_id) DO NOTHING;

-- name: CALL_GET
SELECT state, notification_id, allowed, message, final_input, result, is_error
FROM engine_calls WHERE run_id = ?1 AND call_id = ?2;

-- name: CALL_TOOL
SELECT tool FROM engine_calls WHERE run_id = ?1 AND call_id = ?2;

-- name: CALL_ASKED
UPDATE engine_calls SET state = 'asked', notification_id = ?3
WHERE run_id = ?1 AND call_id = ?2;

-- name: CALL_DECIDED
UPDATE engine_calls SET state = 'decided', allowed = ?3, message = ?4, final_input = ?5
WHERE run_id = ?1 AND call_id = ?2;

-- name: CALL_BEGUN
UPDATE engine_calls SET state = 'begun' WHERE run_id = ?1 AND call_id = ?2;

-- A command-line client has the result.
-- name: CALL_SEEN
UPDATE engine_calls SET state = 'seen'
WHERE run_id = ?1 AND call_id = ?2 AND state IN ('done', 'lost', 'begun');

-- The client of the process before may not have got the results of these.
-- name: CALLS_NOTE_LOST
UPDATE engine_calls SET state = 'lost' WHERE run_id = ?1 AND state IN ('done', 'begun');

-- name: CALL_LOST
SELECT call_id, result, is_error FROM engine_calls
WHERE run_id = ?1 AND tool = ?2 AND input = ?3 AND state = 'lost' ORDER BY seq LIMIT 1;

-- name: CALL_DONE
UPDATE engine_calls SET state = 'done', result = ?3, is_error = ?4
WHERE run_id = ?1 AND call_id = ?2;

-- The decision on the same call in the same run, for the cache.
-- name: CALL_DECISION
SELECT allowed, message, final_input FROM engine_calls
WHERE run_id = ?1 AND tool = ?2 AND input = ?3 AND allowed IS NOT NULL ORDER BY seq LIMIT 1;

-- The request of the same call in the same run that is open, or whose answer nobody has taken; of a
-- question, also one whose answer a client may not have got.
-- name: CALL_OPEN_REQUEST
SELECT c.notification_id, c.call_id FROM engine_calls c
JOIN notifications n ON n.id = c.notification_id
WHERE c.run_id = ?1 AND c.tool = ?2 AND c.input = ?3
	AND (c.state = 'asked' OR (c.state = 'lost' AND c.tool = 'AskUserQuestion'))
ORDER BY c.seq LIMIT 1;

-- Another call has taken its request over.
-- name: CALL_HANDED_ON
UPDATE engine_calls SET state = 'seen' WHERE run_id = ?1 AND call_id = ?2;

-- name: CALL_COUNT
SELECT count(*) FROM engine_calls WHERE run_id = ?1;

-- name: CALLS_DELETE_OF_TASK
DELETE FROM engine_calls WHERE task_id = ?1;

-- name: CALLS_DELETE_OF_RUN
DELETE FROM engine_calls WHERE run_id = ?1;

-- name: NOTIFICATION_RESPONSE
SELECT response FROM notifications WHERE id = ?1;

-- Jobs.
-- A parked run of the task goes back to the queue at once.
-- name: JOB_UNPARK
UPDATE jobs SET state = 'ready', run_at_ms = ?2
WHERE subject = ?1 AND kind = 'agent_run' AND state = 'parked';

-- name: JOB_READY
SELECT id, kind, slot FROM jobs WHERE state = 'ready' AND run_at_ms <= ?1
ORDER BY run_at_ms, id LIMIT 256;

-- Runs that could begin if there were room.
-- name: JOB_RUN_WAITS
SELECT 1 FROM jobs WHERE state = 'ready' AND kind = 'agent_run' AND run_at_ms <= ?1 LIMIT 1;

-- name: JOB_LEASE
UPDATE jobs SET state = 'leased', owner = ?2, lease_until_ms = ?3, fence = fence + 1,
	attempts = attempts + 1
WHERE id = ?1 AND state = 'ready' RETURNING fence;

-- name: JOB_LOAD
SELECT kind, subject, run_id, payload, attempts FROM jobs
WHERE id = ?1 AND fence = ?2 AND state = 'leased';

-- name: JOB_RENEW
UPDATE jobs SET lease_until_ms = ?2 WHERE state = 'leased' AND owner = ?1;

-- name: JOB_FINISH
UPDATE jobs SET state = ?3, result_status = ?4, result = ?5, error = ?6, finished_at_ms = ?7
WHERE id = ?1 AND fence = ?2 AND state = 'leased';

-- name: JOB_CANCEL
UPDATE jobs SET state = 'failed', result_status = 503, result = '{"error":"Cancelled"}', error = ?2,
	finished_at_ms = ?3
WHERE id = ?1 AND state IN ('ready', 'leased');

-- name: JOB_PARK
UPDATE jobs SET state = 'parked', owner = NULL, run_at_ms = ?3
WHERE id = ?1 AND fence = ?2 AND state = 'leased';

-- Parked runs whose request has waited as long as it may.
-- name: JOB_PARKED_DUE
SELECT 1 FROM jobs WHERE state = 'parked' AND run_at_ms <= ?1 LIMIT 1;

-- name: JOB_UNPARK_DUE
UPDATE jobs SET state = 'ready' WHERE state = 'parked' AND run_at_ms <= ?1;

-- name: JOB_RELEASE
UPDATE jobs SET state = 'ready', owner = NULL, run_at_ms = ?3
WHERE id = ?1 AND fence = ?2 AND state = 'leased';

-- Leases of a runner that is gone, or that ran out.
-- name: JOB_RELEASE_LOST
UPDATE jobs SET state = 'ready', owner = NULL, run_at_ms = ?1
WHERE state = 'leased' AND (owner <> ?2 OR lease_until_ms < ?1);

-- Runs that this runner has under way and that are no longer wanted.
-- name: JOB_UNWANTED
SELECT j.id FROM jobs j LEFT JOIN engine_runs r ON r.task_id = j.subject AND r.run_id = j.run_id
WHERE j.state = 'leased' AND j.kind = 'agent_run' AND j.owner = ?1
	AND (r.task_id IS NULL OR r.cancel_requested = 1);

-- name: JOB_PURGE
DELETE FROM jobs WHERE id IN (SELECT id FROM jobs
	WHERE state IN ('done', 'failed') AND run_at_ms < ?1 LIMIT 500);

-- Tasks that claim to run although nothing runs them: written by an older program.
-- name: TASK_ORPHANS
SELECT id, title, agent_profile FROM tasks
WHERE status = 'running' AND updated_at < ?1 AND id NOT IN (SELECT task_id FROM engine_runs)
LIMIT 500;

-- Retention.
-- name: AUDIT_PURGE
DELETE FROM audit WHERE id IN (SELECT id FROM (SELECT id, at_ms FROM audit ORDER BY id LIMIT 500)
	WHERE at_ms < ?1);

-- name: LOG_PURGE
DELETE FROM agent_logs WHERE rowid IN (SELECT l.rowid FROM agent_logs l
	LEFT JOIN tasks t ON t.id = l.task_id
	WHERE l.timestamp < ?1 AND (t.id IS NULL OR t.status IN ('completed', 'planned')
		OR (t.status IN ('failed', 'cancelled') AND l.event NOT IN ('session_snapshot',
			'openai_response_id', 'started')))
	LIMIT 500);

-- name: NOTIFICATION_PURGE
DELETE FROM notifications WHERE rowid IN (SELECT rowid FROM notifications
	WHERE created_at < ?1 AND (response IS NOT NULL OR type NOT IN ('permission_required',
		'agent_message', 'context_proposal', 'context_proposal_batch'))
	LIMIT 500);

-- name: FIRST_START
SELECT count(*) FROM stagent_schema WHERE name = 'runner-started';

-- name: FIRST_START_NOTE
INSERT INTO stagent_schema (name, applied_at_ms) VALUES ('runner-started', ?1)
ON CONFLICT (name) DO NOTHING;

-- name: JOB_HELD
SELECT 1 FROM jobs WHERE id = ?1 AND fence = ?2 AND state = 'leased';

-- name: RUN_IS_CURRENT
SELECT 1 FROM engine_runs WHERE task_id = ?1 AND run_id = ?2;
