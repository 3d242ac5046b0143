-- Users' tables. Rows are kept as JSON text; what is asked of their values is worked out by the
-- program, row by row.

-- Project, source and text may be null: any. The text is found as it is, ASCII letters in any case.
-- name: TABLE_LIST
SELECT @utable(t), p.name,
	CASE WHEN json_valid(t.column_schema) THEN json_array_length(t.column_schema) ELSE 0 END
FROM user_tables t LEFT JOIN projects p ON p.id = t.project_id
WHERE (?1 IS NULL OR t.project_id = ?1) AND (?2 IS NULL OR t.source = ?2)
	AND (?3 IS NULL OR instr(lower(t.name), lower(?3)) > 0
		OR instr(lower(t.description), lower(?3)) > 0)
ORDER BY t.updated_at DESC, t.rowid LIMIT ?4;

-- name: TABLE_GET
SELECT @utable FROM user_tables WHERE id = ?1;

-- name: TABLE_EXISTS
SELECT 1 FROM user_tables WHERE id = ?1;

-- name: TABLE_SCHEMA
SELECT column_schema FROM user_tables WHERE id = ?1;

-- name: TABLE_INSERT
INSERT INTO user_tables (id, project_id, name, description, column_schema, row_count, source,
	template_id, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, 0, ?6, ?7, ?8, ?8) RETURNING @utable;

-- The flags say which columns are given: name, description, project.
-- name: TABLE_UPDATE
UPDATE user_tables SET name = CASE WHEN ?2 THEN ?3 ELSE name END,
	description = CASE WHEN ?4 THEN ?5 ELSE description END,
	project_id = CASE WHEN ?6 THEN ?7 ELSE project_id END, updated_at = ?8
WHERE id = ?1;

-- name: TABLE_COUNT_ROWS
UPDATE user_tables SET row_count = max(row_count + ?2, 0), updated_at = ?3 WHERE id = ?1;

-- name: TABLE_SET_SCHEMA
UPDATE user_tables SET column_schema = ?2, updated_at = ?3 WHERE id = ?1;

-- What goes with a table. ?1 is the table.
-- name: TABLE_DELETE_DOCUMENTS
DELETE FROM table_document_inputs WHERE table_id = ?1;
-- name: TABLE_DELETE_TASKS
DELETE FROM task_table_inputs WHERE table_id = ?1;
-- name: TABLE_DELETE_WORKFLOWS
DELETE FROM workflow_table_inputs WHERE table_id = ?1;
-- name: TABLE_DELETE_SCHEDULES
DELETE FROM schedule_table_inputs WHERE table_id = ?1;
-- name: TABLE_DELETE_HISTORY
DELETE FROM user_table_row_history WHERE table_id = ?1;
-- name: TABLE_DELETE_TRIGGERS
DELETE FROM user_table_triggers WHERE table_id = ?1;
-- name: TABLE_DELETE_IMPORTS
DELETE FROM user_table_imports WHERE table_id = ?1;
-- name: TABLE_DELETE_VIEWS
DELETE FROM user_table_views WHERE table_id = ?1;
-- name: TABLE_DELETE_RELATIONSHIPS
DELETE FROM user_table_relationships WHERE from_table_id = ?1 OR to_table_id = ?1;
-- name: TABLE_DELETE_ROWS
DELETE FROM user_table_rows WHERE table_id = ?1;
-- name: TABLE_DELETE_COLUMNS
DELETE FROM user_table_columns WHERE table_id = ?1;
-- name: TABLE_DELETE
DELETE FROM user_tables WHERE id = ?1;

-- name: TABLE_COLUMN_LIST
SELECT @ucolumn FROM user_table_columns WHERE table_id = ?1 ORDER BY position, rowid;

-- name: TABLE_COLUMN_GET
SELECT @ucolumn FROM user_table_columns WHERE id = ?1;

-- name: TABLE_COLUMN_NAMED
SELECT data_type FROM user_table_columns WHERE table_id = ?1 AND name = ?2
ORDER BY position, rowid LIMIT 1;

-- name: TABLE_COLUMN_COUNT
SELECT count(*) FROM user_table_columns WHERE table_id = ?1;

-- name: TABLE_COLUMN_INSERT
INSERT INTO user_table_columns (id, table_id, name, display_name, data_type, position, required,
	default_value, config, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?10);

-- Absent values come as null and leave the column as it is.
-- name: TABLE_COLUMN_UPDATE
UPDATE user_table_columns SET display_name = coalesce(?2, display_name),
	data_type = coalesce(?3, data_type), config = coalesce(?4, config), updated_at = ?5
WHERE id = ?1;

-- name: TABLE_COLUMN_MOVE
UPDATE user_table_columns SET position = ?2, updated_at = ?3 WHERE id = ?1 AND position <> ?2;

-- name: TABLE_COLUMN_DELETE
DELETE FROM user_table_columns WHERE id = ?1;

-- name: TABLE_ROW_GET
SELECT @urow FROM user_table_rows WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_ROW_TABLE
SELECT table_id FROM user_table_rows WHERE id = ?1;

-- name: TABLE_ROW_DATA
SELECT data FROM user_table_rows WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_ROW_AT
SELECT @urow FROM user_table_rows WHERE rowid = ?1;

-- name: TABLE_ROW_SCAN
SELECT @urow FROM user_table_rows WHERE table_id = ?1 ORDER BY position, rowid;

-- name: TABLE_ROW_SCAN_SORT
SELECT data, position, rowid FROM user_table_rows WHERE table_id = ?1 ORDER BY position, rowid;

-- name: TABLE_ROW_SCAN_COMPUTED
SELECT data FROM user_table_rows WHERE table_id = ?1 ORDER BY position, rowid;

-- name: TABLE_ROW_NEXT_POSITION
SELECT coalesce(max(position), -1) + 1 FROM user_table_rows WHERE table_id = ?1;

-- name: TABLE_ROW_INSERT
INSERT INTO user_table_rows (id, table_id, data, position, created_by, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?6);

-- name: TABLE_ROW_UPDATE
UPDATE user_table_rows SET data = ?3, updated_at = ?4 WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_ROW_DELETE
DELETE FROM user_table_rows WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_HISTORY_INSERT
INSERT INTO user_table_row_history (id, row_id, table_id, previous_data, changed_by, change_type,
	created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: TABLE_HISTORY_LIST
SELECT @uhistory FROM user_table_row_history WHERE table_id = ?1
ORDER BY created_at DESC, rowid LIMIT ?2;

-- name: TABLE_HISTORY_LIST_ROW
SELECT @uhistory FROM user_table_row_history WHERE row_id = ?2 AND table_id = ?1
ORDER BY created_at DESC, rowid LIMIT ?3;

-- name: TABLE_HISTORY_DATA
SELECT previous_data FROM user_table_row_history WHERE id = ?1 AND row_id = ?2 AND table_id = ?3;

-- name: TABLE_TRIGGER_LIST
SELECT @utrigger FROM user_table_triggers WHERE table_id = ?1 ORDER BY rowid;

-- name: TABLE_TRIGGER_GET
SELECT @utrigger FROM user_table_triggers WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_TRIGGER_ACTIVE
SELECT id, condition, action_type, action_config FROM user_table_triggers
WHERE table_id = ?1 AND trigger_event = ?2 AND status = 'active' ORDER BY rowid;

-- name: TABLE_TRIGGER_INSERT
INSERT INTO user_table_triggers (id, table_id, name, trigger_event, condition, action_type,
	action_config, status, fire_count, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 'active', 0, ?8, ?8);

-- Absent values come as null and leave the column as it is; the flag says whether the condition is
-- given.
-- name: TABLE_TRIGGER_UPDATE
UPDATE user_table_triggers SET name = coalesce(?3, name),
	trigger_event = coalesce(?4, trigger_event), status = coalesce(?5, status),
	condition = CASE WHEN ?6 THEN ?7 ELSE condition END,
	action_type = coalesce(?8, action_type), action_config = coalesce(?9, action_config),
	updated_at = ?10
WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_TRIGGER_FIRED
UPDATE user_table_triggers SET fire_count = fire_count + 1, last_fired_at = ?2 WHERE id = ?1;

-- name: TABLE_TRIGGER_DELETE
DELETE FROM user_table_triggers WHERE id = ?1 AND table_id = ?2;

-- name: TABLE_CHART_LIST
SELECT @uchart FROM user_table_views WHERE table_id = ?1 AND type = 'chart' ORDER BY rowid;

-- name: TABLE_CHART_GET
SELECT @uchart FROM user_table_views WHERE id = ?1 AND table_id = ?2 AND type = 'chart';

-- name: TABLE_CHART_INSERT
INSERT INTO user_table_views (id, table_id, name, type, config, is_default, created_at, updated_at)
VALUES (?1, ?2, ?3, 'chart', ?4, 0, ?5, ?5);

-- name: TABLE_CHART_UPDATE
UPDATE user_table_views SET name = coalesce(?3, name), config = ?4, updated_at = ?5
WHERE id = ?1 AND table_id = ?2 AND type = 'chart';

-- name: TABLE_CHART_DELETE
DELETE FROM user_table_views WHERE id = ?1 AND table_id = ?2 AND type = 'chart';

-- name: TABLE_TEMPLATE_LIST
SELECT @utemplate FROM user_table_templates
WHERE (?1 IS NULL OR category = ?1) AND (?2 IS NULL OR scope = ?2) ORDER BY name, rowid;

-- name: TABLE_TEMPLATE_GET
SELECT @utemplate FROM user_table_templates WHERE id = ?1;

-- name: TABLE_TEMPLATE_INSERT
INSERT INTO user_table_templates (id, name, description, category, column_schema, sample_data,
	scope, icon, created_at, updated_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, 'user', NULL, ?7, ?7);

-- A built-in one, where there is none of its name.
-- name: TABLE_TEMPLATE_SEED
INSERT INTO user_table_templates (id, name, description, category, column_schema, sample_data,
	scope, icon, created_at, updated_at)
SELECT ?1, ?2, ?3, ?4, ?5, ?6, 'system', ?7, ?8, ?8
WHERE NOT EXISTS (SELECT 1 FROM user_table_templates WHERE scope = 'system' AND name = ?2);

-- name: TABLE_IMPORT_INSERT
INSERT INTO user_table_imports (id, table_id, document_id, row_count, error_count, errors, status,
	created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8);

-- The import that a job has begun.
-- name: TABLE_IMPORT_OF_JOB
SELECT id, table_id, rows_done FROM table_imports_open WHERE job_id = ?1;

-- name: TABLE_IMPORT_OPEN
SELECT table_id, rows_done FROM table_imports_open WHERE id = ?1 AND job_id = ?2;

-- name: TABLE_IMPORT_BEGIN
INSERT INTO table_imports_open (id, job_id, table_id, rows_done, touched_ms)
VALUES (?1, ?2, ?3, ?4, ?5);

-- name: TABLE_IMPORT_STEP
UPDATE table_imports_open SET rows_done = ?4, touched_ms = ?5
WHERE id = ?1 AND job_id = ?2 AND rows_done = ?3;

-- name: TABLE_IMPORT_END
DELETE FROM table_imports_open WHERE id = ?1 AND job_id = ?2 AND rows_done = ?3;

-- Those that nobody goes on with: their job has ended, or their tool has stood still since ?1.
-- name: TABLE_IMPORT_LEFT
SELECT i.id, i.job_id FROM table_imports_open i
WHERE CASE WHEN i.job_id = 0 THEN i.touched_ms < ?1
	ELSE NOT EXISTS (SELECT 1 FROM jobs j WHERE j.id = i.job_id
		AND j.state IN ('ready', 'leased')) END
LIMIT ?2;

-- name: TABLE_IMPORT_HAND_ON
UPDATE table_imports_open SET job_id = ?3 WHERE id = ?1 AND job_id = ?2;

-- name: TABLE_DOCUMENT_LINK
INSERT INTO table_document_inputs (id, table_id, document_id, created_at)
VALUES (?1, ?2, ?3, ?4) ON CONFLICT (table_id, document_id) DO NOTHING;
