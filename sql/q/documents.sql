-- Documents.

-- define: JOINED
FROM documents d LEFT JOIN tasks t ON t.id = d.task_id LEFT JOIN projects p ON p.id = d.project_id
LEFT JOIN workflows w ON w.id = t.workflow_id;

-- Null filters pass everything; ?5 is a pattern.
-- name: DOCUMENT_LIST
SELECT @document(d), t.title, p.name, w.id, w.name, t.workflow_run_number $JOINED
WHERE (?1 IS NULL OR d.task_id = ?1) AND (?2 IS NULL OR d.project_id = ?2)
	AND (?3 IS NULL OR d.status = ?3) AND (?4 IS NULL OR d.direction = ?4)
	AND (?5 IS NULL OR d.original_name LIKE ?5 ESCAPE '!' OR d.extracted_text LIKE ?5 ESCAPE '!')
ORDER BY d.created_at DESC, d.rowid LIMIT ?6 OFFSET ?7;

-- name: DOCUMENT_GET
SELECT @document(d), t.title, p.name, w.id, w.name, t.workflow_run_number $JOINED WHERE d.id = ?1;

-- name: DOCUMENT_ROW
SELECT @document_row FROM documents WHERE id = ?1;

-- What a tool says of documents: all but the texts.
-- name: DOCUMENT_BRIEFS
SELECT id, original_name, filename, mime_type, size, direction, category, status, task_id, project_id,
	created_at, processing_error, updated_at
FROM documents WHERE (?1 IS NULL OR id = ?1) AND (?2 IS NULL OR task_id = ?2)
	AND (?3 IS NULL OR project_id = ?3) AND (?4 IS NULL OR status = ?4)
	AND (?5 IS NULL OR direction = ?5)
ORDER BY created_at DESC, rowid LIMIT ?6;

-- Ready documents of project ?1 whose name is like ?2, made by tasks of workflow ?4.
-- name: DOCUMENT_RELATED
SELECT d.id, d.original_name, d.mime_type, d.size, d.direction, d.category, d.status, d.task_id,
	d.created_at, w.name $JOINED
WHERE d.project_id = ?1 AND d.status = 'ready' AND (?2 IS NULL OR d.original_name LIKE ?2 ESCAPE '!')
	AND (?3 IS NULL OR d.direction = ?3) AND (?4 IS NULL OR t.workflow_id = ?4)
ORDER BY d.created_at DESC, d.rowid LIMIT ?5;

-- name: DOCUMENT_STATE
SELECT task_id, project_id, direction, original_name, category, status, mime_type, storage_path,
	processed_path FROM documents WHERE id = ?1;

-- name: DOCUMENT_TEXT
SELECT original_name, status, extracted_text FROM documents WHERE id = ?1;

-- name: DOCUMENT_VERSIONS
SELECT d.id, d.version, d.size, d.status, d.created_at, t.workflow_run_number
FROM documents d LEFT JOIN tasks t ON t.id = d.task_id
WHERE d.project_id = ?1 AND d.direction = 'output' AND d.original_name = ?2
ORDER BY d.version DESC, d.created_at DESC, d.rowid DESC;

-- name: DOCUMENT_INSERT
INSERT INTO documents (id, task_id, project_id, filename, original_name, mime_type, size,
	storage_path, version, direction, category, status, source, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, 'uploaded', 'upload', ?12, ?12);

-- Where a flag is not set its column stays.
-- name: DOCUMENT_UPDATE
UPDATE documents SET task_id = CASE WHEN ?2 THEN ?3 ELSE task_id END,
	project_id = CASE WHEN ?4 THEN ?5 ELSE project_id END,
	category = CASE WHEN ?6 THEN ?7 ELSE category END, updated_at = ?8
WHERE id = ?1;

-- name: DOCUMENT_FORGET_TEXT
UPDATE documents SET extracted_text = NULL, processed_path = NULL, processing_error = NULL
WHERE id = ?1;

-- name: DOCUMENT_FILENAME
SELECT filename FROM documents WHERE id = ?1;

-- name: DOCUMENT_BY_FILE
SELECT id FROM documents WHERE id = ?1 AND filename = ?2;

-- Extraction. Whoever has a lane does its documents one after the other: those whose ids have the
-- remainder ?1.
-- name: EXTRACT_PENDING
UPDATE documents SET status = 'processing', updated_at = ?2 WHERE id = ?1;

-- name: EXTRACT_NEXT
SELECT id, mime_type, storage_path, status FROM documents
WHERE status IN ('uploaded', 'processing') AND unicode(id) % ?2 = ?1
ORDER BY updated_at, rowid LIMIT 1;

-- Whether a document that task ?1 of project ?2 is given waits for its text.
-- name: EXTRACT_AWAITED
SELECT 1 FROM documents d WHERE d.status IN ('uploaded', 'processing')
	AND (d.task_id = ?1 AND d.direction = 'input' OR EXISTS (SELECT 1
	FROM project_document_defaults b WHERE b.document_id = d.id AND b.project_id = ?2)) LIMIT 1;

-- What job ?1 has in hand; null for nothing.
-- name: EXTRACT_IN_HAND
UPDATE jobs SET payload = ?3 WHERE id = ?1 AND fence = ?2;

-- name: EXTRACT_BEGIN
UPDATE documents SET status = 'processing', updated_at = ?2
WHERE id = ?1 AND status IN ('uploaded', 'processing');

-- name: EXTRACT_DONE
UPDATE documents SET status = 'ready', extracted_text = ?2, processed_path = coalesce(?3, processed_path),
	processing_error = ?4, updated_at = ?5
WHERE id = ?1 AND status = 'processing' RETURNING id;

-- name: EXTRACT_FAILED
UPDATE documents SET status = 'error', processing_error = ?2, updated_at = ?3
WHERE id = ?1 AND status = 'processing';

-- name: EXTRACT_WAITING
SELECT 1 FROM jobs WHERE kind = 'extract' AND slot = ?1 AND state = 'ready' LIMIT 1;

-- Lanes with something to do and nobody who has it or is going to.
-- name: EXTRACT_FORGOTTEN
SELECT DISTINCT unicode(id) % ?1 AS lane FROM documents
WHERE status IN ('uploaded', 'processing') AND NOT EXISTS (SELECT 1 FROM jobs
	WHERE kind = 'extract' AND slot = 'extract-' || (unicode(id) % ?1)
	AND state IN ('ready', 'leased'));
