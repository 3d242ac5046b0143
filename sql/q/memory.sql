-- Memories. PROMPT_MEMORIES has those that a run is given.

-- name: MEMORY_INSERT
INSERT INTO agent_memory (id, profile_id, category, content, confidence, source_task_id, tags,
	access_count, decay_rate, status, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, ?8, 'active', ?9, ?9);

-- Category and status may be null: any.
-- name: MEMORY_LIST
SELECT @memory FROM agent_memory
WHERE profile_id = ?1 AND (?2 IS NULL OR category = ?2) AND (?3 IS NULL OR status = ?3)
ORDER BY confidence DESC, status, created_at, rowid;

-- What is null stays as it is.
-- name: MEMORY_UPDATE
UPDATE agent_memory SET confidence = coalesce(?2, confidence), status = coalesce(?3, status),
	updated_at = ?4
WHERE id = ?1;

-- What a new statement is compared with. A statement is shorter than what is left of a long one.
-- name: MEMORY_KNOWN
SELECT substr(content, 1, 2000) FROM agent_memory WHERE profile_id = ?1 AND status = 'active'
ORDER BY created_at DESC, rowid DESC LIMIT 5000;

-- name: MEMORY_IS_HEARTBEAT
SELECT 1 FROM tasks t LEFT JOIN schedules s ON s.id = t.schedule_id
WHERE t.id = ?1 AND (t.source_type = 'heartbeat' OR s.type = 'heartbeat');

-- name: MEMORY_ACTIVE_AFTER
SELECT id, confidence, decay_rate, coalesce(last_accessed_at, created_at) FROM agent_memory
WHERE status = 'active' AND id > ?1 ORDER BY id LIMIT ?2;

-- Only where nobody has changed or used it since it was read.
-- name: MEMORY_FADE
UPDATE agent_memory SET confidence = ?4, status = ?5, updated_at = ?6
WHERE id = ?1 AND status = 'active' AND confidence = ?2
	AND coalesce(last_accessed_at, created_at) = ?3;
