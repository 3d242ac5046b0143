-- What goes into the prompt of a run, and the documents that its output files become.

-- name: PROMPT_LEARNED
SELECT content FROM learned_context
WHERE profile_id = ?1 AND change_type IN ('approved', 'rollback', 'summarization')
ORDER BY version DESC, rowid DESC LIMIT 1;

-- Candidates for recall; the program scores them. The limit only bounds the work.
-- name: PROMPT_MEMORIES
SELECT id, category, content, confidence, tags, coalesce(last_accessed_at, created_at)
FROM agent_memory WHERE profile_id = ?1 AND status = 'active' AND confidence >= 300
ORDER BY confidence DESC, created_at, rowid LIMIT 5000;

-- name: PROMPT_MEMORY_RECALLED
UPDATE agent_memory SET last_accessed_at = ?2, access_count = access_count + 1 WHERE id = ?1;

-- A text of 10,000 characters has at least as many UTF-16 units, which is where it is cut.
-- name: PROMPT_DOCUMENTS
SELECT id, original_name, mime_type, storage_path, status, substr(extracted_text, 1, 10000),
	processing_error
FROM documents WHERE task_id = ?1 AND direction = 'input' ORDER BY created_at, rowid;

-- The project's default documents that the task has not got anyway.
-- name: PROMPT_DEFAULT_DOCUMENTS
SELECT d.id, d.original_name, d.mime_type, d.storage_path, d.status,
	substr(d.extracted_text, 1, 10000), d.processing_error
FROM project_document_defaults b JOIN documents d ON d.id = b.document_id
WHERE b.project_id = ?1 AND (d.direction <> 'input' OR coalesce(d.task_id, '') <> ?2)
ORDER BY b.rowid;

-- Of the task that a workflow was made of.
-- name: PROMPT_SOURCE_DOCUMENTS
SELECT id, original_name, mime_type, storage_path, status, substr(extracted_text, 1, 10000),
	processing_error
FROM documents WHERE task_id = ?1 AND direction = 'input' ORDER BY created_at, rowid;

-- Bound to the whole workflow, to one of its steps, or named by the step (a JSON list).
-- name: PROMPT_POOL_DOCUMENTS
SELECT d.id, d.original_name, d.mime_type, d.storage_path, d.status,
	substr(d.extracted_text, 1, 10000), d.processing_error
FROM documents d
WHERE d.id IN (SELECT document_id FROM workflow_document_inputs
		WHERE workflow_id = ?1 AND (step_id IS NULL OR step_id = ?2))
	OR d.id IN (SELECT value FROM json_each(?3))
ORDER BY d.created_at, d.rowid;

-- name: PROMPT_TABLES
SELECT table_id FROM task_table_inputs WHERE task_id = ?1 ORDER BY rowid;

-- name: PROMPT_TABLE
SELECT name, description, column_schema, row_count FROM user_tables WHERE id = ?1;

-- name: OUTPUT_NEWEST
SELECT storage_path, size FROM documents
WHERE task_id = ?1 AND direction = 'output' AND original_name = ?2
ORDER BY version DESC, rowid DESC LIMIT 1;

-- name: OUTPUT_VERSION_IN_PROJECT
SELECT max(version) FROM documents
WHERE project_id = ?1 AND direction = 'output' AND original_name = ?2;

-- name: OUTPUT_VERSION_IN_TASK
SELECT max(version) FROM documents
WHERE task_id = ?1 AND direction = 'output' AND original_name = ?2;

-- name: OUTPUT_NAME_TAKEN
SELECT 1 FROM documents WHERE task_id = ?1 AND filename = ?2;

-- Reads every document, so it is asked for files only that exist already.
-- name: OUTPUT_PATH_TAKEN
SELECT 1 FROM documents WHERE storage_path = ?1;

-- name: OUTPUT_INSERT
INSERT INTO documents (id, task_id, project_id, filename, original_name, mime_type, size,
	storage_path, version, direction, status, source, extracted_text, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, 'output', ?10, 'upload', ?11, ?12, ?12);

-- name: SCREENSHOT_INSERT
INSERT INTO documents (id, task_id, project_id, conversation_id, message_id, filename,
	original_name, mime_type, size, storage_path, version, direction, category, status, source,
	extracted_text, processed_path, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'image/png', ?8, ?9, 1, 'output', 'screenshot', 'ready',
	'screenshot', ?10, ?11, ?12, ?12);
