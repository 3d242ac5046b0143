-- Statements that belong to no domain.

-- name: AUDIT_INSERT
INSERT INTO audit (at_ms, actor, op, subject_type, subject, detail, request)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: JOB_INSERT
INSERT INTO jobs (kind, subject, run_id, slot, state, run_at_ms, payload, created_at_ms)
VALUES (?1, ?2, ?3, ?4, 'ready', ?5, ?6, ?5) RETURNING id;

-- name: JOB_WAITING_COUNT
SELECT count(*) FROM jobs WHERE state = 'ready';
