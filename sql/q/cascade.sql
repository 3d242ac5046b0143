-- What goes with a deleted thing. Nothing cascades by itself, so every child is named here.

-- Documents: ?1 is the document.
-- name: DOCUMENT_UNBIND_PROJECTS
DELETE FROM project_document_defaults WHERE document_id = ?1;
-- name: DOCUMENT_UNBIND_WORKFLOWS
DELETE FROM workflow_document_inputs WHERE document_id = ?1;
-- name: DOCUMENT_UNBIND_SCHEDULES
DELETE FROM schedule_document_inputs WHERE document_id = ?1;
-- name: DOCUMENT_UNBIND_TABLES
DELETE FROM table_document_inputs WHERE document_id = ?1;
-- name: DOCUMENT_DETACH_IMPORTS
UPDATE user_table_imports SET document_id = NULL WHERE document_id = ?1;
-- name: DOCUMENT_DELETE
DELETE FROM documents WHERE id = ?1 RETURNING storage_path, processed_path;

-- Tasks: ?1 is the task.
-- name: TASK_DELETE_LOGS
DELETE FROM agent_logs WHERE task_id = ?1;
-- name: TASK_DELETE_TABLE_INPUTS
DELETE FROM task_table_inputs WHERE task_id = ?1;
-- name: TASK_OUTPUT_DOCUMENTS
SELECT id FROM documents WHERE task_id = ?1 AND direction = 'output';
-- name: TASK_DETACH_DOCUMENTS
UPDATE documents SET task_id = NULL WHERE task_id = ?1;
-- name: TASK_DETACH_USAGE
UPDATE usage_ledger SET task_id = NULL WHERE task_id = ?1;
-- name: TASK_DETACH_CONTEXT
UPDATE learned_context SET source_task_id = NULL WHERE source_task_id = ?1;
-- name: TASK_DELETE_CONTEXT
DELETE FROM learned_context WHERE source_task_id = ?1;
-- name: TASK_DETACH_MEMORY
UPDATE agent_memory SET source_task_id = NULL WHERE source_task_id = ?1;
-- name: TASK_DETACH_MESSAGES
UPDATE agent_messages SET task_id = NULL WHERE task_id = ?1;
-- name: TASK_DETACH_TARGETS
UPDATE agent_messages SET target_task_id = NULL WHERE target_task_id = ?1;

-- Projects: ?1 is the project. Its tasks are also those of its workflows and schedules, wherever
-- they stand.
-- define: WORKFLOWS
(SELECT id FROM workflows WHERE project_id = ?1);
-- define: SCHEDULES
(SELECT id FROM schedules WHERE project_id = ?1);
-- define: TABLES
(SELECT id FROM user_tables WHERE project_id = ?1);
-- define: SCANS
(SELECT id FROM environment_scans WHERE project_id = ?1);
-- define: CHECKPOINTS
(SELECT id FROM environment_checkpoints WHERE project_id = ?1);
-- define: CONVERSATIONS
(SELECT id FROM conversations WHERE project_id = ?1);

-- name: PROJECT_TASKS
SELECT id FROM tasks WHERE project_id = ?1 OR workflow_id IN $WORKFLOWS
	OR schedule_id IN $SCHEDULES;
-- name: PROJECT_DELETE_SYNC_OPS
DELETE FROM environment_sync_ops WHERE checkpoint_id IN $CHECKPOINTS
	OR artifact_id IN (SELECT id FROM environment_artifacts WHERE scan_id IN $SCANS);
-- name: PROJECT_DELETE_CHECKPOINTS
DELETE FROM environment_checkpoints WHERE project_id = ?1;
-- name: PROJECT_DELETE_ARTIFACTS
DELETE FROM environment_artifacts WHERE scan_id IN $SCANS;
-- name: PROJECT_DELETE_SCANS
DELETE FROM environment_scans WHERE project_id = ?1;
-- name: PROJECT_DELETE_MESSAGES
DELETE FROM chat_messages WHERE conversation_id IN $CONVERSATIONS;
-- name: PROJECT_DELETE_CHANNEL_BINDINGS
DELETE FROM channel_bindings WHERE conversation_id IN $CONVERSATIONS;
-- name: PROJECT_DETACH_CONVERSATION_DOCUMENTS
UPDATE documents SET conversation_id = NULL WHERE conversation_id IN $CONVERSATIONS;
-- name: PROJECT_DELETE_CONVERSATIONS
DELETE FROM conversations WHERE project_id = ?1;
-- name: PROJECT_DELETE_USAGE
DELETE FROM usage_ledger WHERE project_id = ?1;
-- name: PROJECT_DETACH_WORKFLOW_USAGE
UPDATE usage_ledger SET workflow_id = NULL WHERE workflow_id IN $WORKFLOWS;
-- name: PROJECT_DETACH_SCHEDULE_USAGE
UPDATE usage_ledger SET schedule_id = NULL WHERE schedule_id IN $SCHEDULES;
-- name: PROJECT_DELETE_TABLE_DOCUMENTS
DELETE FROM table_document_inputs WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_TASKS
DELETE FROM task_table_inputs WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_WORKFLOWS
DELETE FROM workflow_table_inputs WHERE table_id IN $TABLES OR workflow_id IN $WORKFLOWS;
-- name: PROJECT_DELETE_TABLE_SCHEDULES
DELETE FROM schedule_table_inputs WHERE table_id IN $TABLES OR schedule_id IN $SCHEDULES;
-- name: PROJECT_DELETE_TABLE_HISTORY
DELETE FROM user_table_row_history WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_TRIGGERS
DELETE FROM user_table_triggers WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_IMPORTS
DELETE FROM user_table_imports WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_VIEWS
DELETE FROM user_table_views WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_RELATIONSHIPS
DELETE FROM user_table_relationships WHERE from_table_id IN $TABLES OR to_table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_ROWS
DELETE FROM user_table_rows WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLE_COLUMNS
DELETE FROM user_table_columns WHERE table_id IN $TABLES;
-- name: PROJECT_DELETE_TABLES
DELETE FROM user_tables WHERE project_id = ?1;
-- name: PROJECT_OWN_DOCUMENTS
SELECT id FROM documents WHERE project_id = ?1 OR task_id IN (SELECT id FROM tasks
	WHERE project_id = ?1 OR workflow_id IN $WORKFLOWS OR schedule_id IN $SCHEDULES);
-- name: PROJECT_DELETE_WORKFLOW_INPUTS
DELETE FROM workflow_document_inputs WHERE workflow_id IN $WORKFLOWS;
-- name: PROJECT_DELETE_SCHEDULE_INPUTS
DELETE FROM schedule_document_inputs WHERE schedule_id IN $SCHEDULES;
-- name: PROJECT_DELETE_FIRINGS
DELETE FROM schedule_firings WHERE schedule_id IN $SCHEDULES;
-- name: PROJECT_DELETE_WORKFLOW_NOTIFICATIONS
DELETE FROM notifications WHERE task_id IS NULL
	AND tool_name IN ('WorkflowCheckpoint', 'workflow-context-batch')
	AND json_valid(tool_input) AND json_extract(tool_input, '$.workflowId') IN $WORKFLOWS;
-- name: PROJECT_DELETE_WORKFLOW_WAITS
DELETE FROM workflow_waits WHERE workflow_id IN $WORKFLOWS;
-- name: PROJECT_DELETE_WORKFLOW_RUNS
DELETE FROM workflow_runs WHERE workflow_id IN $WORKFLOWS;
-- name: PROJECT_DELETE_WORKFLOWS
DELETE FROM workflows WHERE project_id = ?1;
-- name: PROJECT_DELETE_SCHEDULES
DELETE FROM schedules WHERE project_id = ?1;
-- name: PROJECT_DELETE
DELETE FROM projects WHERE id = ?1;
