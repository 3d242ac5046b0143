-- Saved views.

-- name: VIEW_LIST
SELECT @view FROM views WHERE surface = ?1 ORDER BY is_default DESC, name, created_at, rowid;

-- name: VIEW_GET
SELECT @view FROM views WHERE id = ?1;

-- name: VIEW_STATE
SELECT surface, name, filters, sorting, columns, density, is_default FROM views WHERE id = ?1;

-- name: VIEW_INSERT
INSERT INTO views (id, surface, name, filters, sorting, columns, density, is_default, created_at,
	updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?9);

-- All of a surface but one.
-- name: VIEW_UNSET_DEFAULTS
UPDATE views SET is_default = 0, updated_at = ?3
WHERE surface = ?1 AND is_default <> 0 AND id <> ?2;

-- name: VIEW_UPDATE
UPDATE views SET name = ?2, filters = ?3, sorting = ?4, columns = ?5, density = ?6, is_default = ?7,
	updated_at = ?8
WHERE id = ?1;

-- name: VIEW_DELETE
DELETE FROM views WHERE id = ?1;
