-- Settings: one text a key.

-- name: SETTING_GET
SELECT value FROM settings WHERE key = ?1;

-- name: SETTING_UPDATED_AT
SELECT updated_at FROM settings WHERE key = ?1;

-- name: SETTING_PUT
INSERT INTO settings (key, value, updated_at) VALUES (?1, ?2, ?3)
ON CONFLICT (key) DO UPDATE SET value = excluded.value, updated_at = excluded.updated_at;

-- name: SETTING_DELETE
DELETE FROM settings WHERE key = ?1;

-- A job of a kind of which there is one at a time.
-- name: JOB_UNDER_WAY
SELECT id FROM jobs WHERE kind = ?1 AND state IN ('ready', 'leased') ORDER BY id DESC LIMIT 1;
