-- Projects, their default documents, and all that goes with them.

-- name: PROJECT_LIST
SELECT @project(p), (SELECT count(*) FROM tasks t WHERE t.project_id = p.id)
FROM projects p WHERE ?1 IS NULL OR p.status = ?1 ORDER BY p.created_at, p.rowid;

-- name: PROJECT_GET
SELECT @project FROM projects WHERE id = ?1;

-- name: PROJECT_EXISTS
SELECT 1 FROM projects WHERE id = ?1;

-- name: PROJECT_INSERT
INSERT INTO projects (id, name, description, working_directory, status, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, 'active', ?5, ?5);

-- Absent fields come as null and leave the column as it is.
-- name: PROJECT_UPDATE
UPDATE projects SET name = coalesce(?2, name), description = coalesce(?3, description),
	working_directory = coalesce(?4, working_directory), status = coalesce(?5, status),
	updated_at = ?6
WHERE id = ?1;

-- name: PROJECT_WORKDIR
SELECT working_directory FROM projects WHERE id = ?1;

-- name: PROJECT_DOCUMENTS
SELECT d.id, d.original_name, d.filename, d.mime_type, d.size, d.direction, d.status, d.category
FROM project_document_defaults b JOIN documents d ON d.id = b.document_id
WHERE b.project_id = ?1 ORDER BY b.rowid;

-- name: PROJECT_UNBIND_ALL
DELETE FROM project_document_defaults WHERE project_id = ?1;

-- name: PROJECT_BIND
INSERT INTO project_document_defaults (id, project_id, document_id, created_at)
VALUES (?1, ?2, ?3, ?4) ON CONFLICT (project_id, document_id) DO NOTHING;

-- name: DOCUMENT_EXISTS
SELECT 1 FROM documents WHERE id = ?1;

-- Of a JSON list of ids: those of documents, each once, in the order of the list; and whether one is
-- that of none.
-- name: DOCUMENTS_LISTED
SELECT d.id FROM json_each(?1) l CROSS JOIN documents d ON d.id = l.value
GROUP BY d.id ORDER BY min(l.key);

-- name: DOCUMENT_UNKNOWN
SELECT 1 FROM json_each(?1) l WHERE NOT EXISTS (SELECT 1 FROM documents d WHERE d.id = l.value)
LIMIT 1;
