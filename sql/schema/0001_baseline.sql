-- The baseline: the tables, columns and indexes of Stagent 0.7.0, under its names and encodings, so
-- that an existing database opens as it is. Times are Unix seconds, booleans 0 and 1, structures
-- compact JSON text. No foreign key cascades: every deletion removes or detaches the children itself.
-- In an older file columns that are missing are added (core/migrate.c); order does not matter.
CREATE TABLE IF NOT EXISTS projects (
	id TEXT PRIMARY KEY NOT NULL,
	name TEXT NOT NULL,
	description TEXT,
	working_directory TEXT,
	status TEXT NOT NULL DEFAULT 'active',
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS workflows (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	name TEXT NOT NULL,
	definition TEXT NOT NULL,
	status TEXT NOT NULL DEFAULT 'draft',
	run_number INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS schedules (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	name TEXT NOT NULL,
	prompt TEXT NOT NULL,
	cron_expression TEXT NOT NULL,
	assigned_agent TEXT,
	agent_profile TEXT,
	recurs INTEGER NOT NULL DEFAULT 1,
	status TEXT NOT NULL DEFAULT 'active',
	max_firings INTEGER,
	firing_count INTEGER NOT NULL DEFAULT 0,
	expires_at INTEGER,
	last_fired_at INTEGER,
	next_fire_at INTEGER,
	type TEXT NOT NULL DEFAULT 'scheduled',
	heartbeat_checklist TEXT,
	active_hours_start INTEGER,
	active_hours_end INTEGER,
	active_timezone TEXT DEFAULT 'UTC',
	suppression_count INTEGER NOT NULL DEFAULT 0,
	last_action_at INTEGER,
	heartbeat_budget_per_day INTEGER,
	heartbeat_spent_today INTEGER NOT NULL DEFAULT 0,
	heartbeat_budget_reset_at INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL,
	delivery_channels TEXT
);
CREATE INDEX IF NOT EXISTS idx_schedules_status ON schedules (status);
CREATE INDEX IF NOT EXISTS idx_schedules_next_fire_at ON schedules (next_fire_at);
CREATE INDEX IF NOT EXISTS idx_schedules_project_id ON schedules (project_id);

CREATE TABLE IF NOT EXISTS tasks (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	workflow_id TEXT REFERENCES workflows (id),
	schedule_id TEXT REFERENCES schedules (id),
	title TEXT NOT NULL,
	description TEXT,
	status TEXT NOT NULL DEFAULT 'planned',
	assigned_agent TEXT,
	agent_profile TEXT,
	priority INTEGER NOT NULL DEFAULT 2,
	result TEXT,
	session_id TEXT,
	resume_count INTEGER NOT NULL DEFAULT 0,
	source_type TEXT,
	workflow_run_number INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_tasks_status ON tasks (status);
CREATE INDEX IF NOT EXISTS idx_tasks_project_id ON tasks (project_id);
CREATE INDEX IF NOT EXISTS idx_tasks_agent_profile ON tasks (agent_profile);
CREATE INDEX IF NOT EXISTS idx_tasks_workflow_id ON tasks (workflow_id);
CREATE INDEX IF NOT EXISTS idx_tasks_schedule_id ON tasks (schedule_id);

CREATE TABLE IF NOT EXISTS agent_logs (
	id TEXT PRIMARY KEY NOT NULL,
	task_id TEXT REFERENCES tasks (id),
	agent_type TEXT NOT NULL,
	event TEXT NOT NULL,
	payload TEXT,
	timestamp INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_agent_logs_task_id ON agent_logs (task_id);
CREATE INDEX IF NOT EXISTS idx_agent_logs_timestamp ON agent_logs (timestamp);

CREATE TABLE IF NOT EXISTS notifications (
	id TEXT PRIMARY KEY NOT NULL,
	task_id TEXT REFERENCES tasks (id),
	type TEXT NOT NULL,
	title TEXT NOT NULL,
	body TEXT,
	read INTEGER NOT NULL DEFAULT 0,
	tool_name TEXT,
	tool_input TEXT,
	response TEXT,
	responded_at INTEGER,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_notifications_task_id ON notifications (task_id);
CREATE INDEX IF NOT EXISTS idx_notifications_read ON notifications (read);

CREATE TABLE IF NOT EXISTS settings (
	key TEXT PRIMARY KEY NOT NULL,
	value TEXT NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS usage_ledger (
	id TEXT PRIMARY KEY NOT NULL,
	task_id TEXT REFERENCES tasks (id),
	workflow_id TEXT REFERENCES workflows (id),
	schedule_id TEXT REFERENCES schedules (id),
	project_id TEXT REFERENCES projects (id),
	activity_type TEXT NOT NULL,
	runtime_id TEXT NOT NULL,
	provider_id TEXT NOT NULL,
	model_id TEXT,
	status TEXT NOT NULL,
	input_tokens INTEGER,
	output_tokens INTEGER,
	total_tokens INTEGER,
	cost_micros INTEGER,
	pricing_version TEXT,
	started_at INTEGER NOT NULL,
	finished_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_task_id ON usage_ledger (task_id);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_activity_type ON usage_ledger (activity_type);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_runtime_id ON usage_ledger (runtime_id);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_provider_model ON usage_ledger (provider_id, model_id);
CREATE INDEX IF NOT EXISTS idx_usage_ledger_finished_at ON usage_ledger (finished_at);

CREATE TABLE IF NOT EXISTS conversations (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	title TEXT,
	runtime_id TEXT NOT NULL,
	model_id TEXT,
	status TEXT NOT NULL DEFAULT 'active',
	session_id TEXT,
	context_scope TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_conversations_project_id ON conversations (project_id);
CREATE INDEX IF NOT EXISTS idx_conversations_status ON conversations (status);
CREATE INDEX IF NOT EXISTS idx_conversations_updated_at ON conversations (updated_at);

CREATE TABLE IF NOT EXISTS documents (
	id TEXT PRIMARY KEY NOT NULL,
	task_id TEXT REFERENCES tasks (id),
	project_id TEXT REFERENCES projects (id),
	conversation_id TEXT REFERENCES conversations (id),
	message_id TEXT,
	filename TEXT NOT NULL,
	original_name TEXT NOT NULL,
	mime_type TEXT NOT NULL,
	size INTEGER NOT NULL,
	storage_path TEXT NOT NULL,
	version INTEGER NOT NULL DEFAULT 1,
	direction TEXT NOT NULL DEFAULT 'input',
	category TEXT,
	status TEXT NOT NULL DEFAULT 'uploaded',
	source TEXT DEFAULT 'upload',
	extracted_text TEXT,
	processed_path TEXT,
	processing_error TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_documents_task_id ON documents (task_id);
CREATE INDEX IF NOT EXISTS idx_documents_project_id ON documents (project_id);
CREATE INDEX IF NOT EXISTS idx_documents_source ON documents (source);
CREATE INDEX IF NOT EXISTS idx_documents_conversation_id ON documents (conversation_id);

CREATE TABLE IF NOT EXISTS learned_context (
	id TEXT PRIMARY KEY NOT NULL,
	profile_id TEXT NOT NULL,
	version INTEGER NOT NULL,
	content TEXT,
	diff TEXT,
	change_type TEXT NOT NULL,
	source_task_id TEXT REFERENCES tasks (id),
	proposal_notification_id TEXT,
	proposed_additions TEXT,
	approved_by TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_learned_context_profile_version ON learned_context (profile_id, version);
CREATE INDEX IF NOT EXISTS idx_learned_context_change_type ON learned_context (change_type);

CREATE TABLE IF NOT EXISTS views (
	id TEXT PRIMARY KEY NOT NULL,
	surface TEXT NOT NULL,
	name TEXT NOT NULL,
	filters TEXT,
	sorting TEXT,
	columns TEXT,
	density TEXT DEFAULT 'comfortable',
	is_default INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_views_surface ON views (surface);
CREATE INDEX IF NOT EXISTS idx_views_surface_default ON views (surface, is_default);

CREATE TABLE IF NOT EXISTS environment_scans (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	scan_path TEXT NOT NULL,
	persona TEXT NOT NULL,
	scan_status TEXT NOT NULL DEFAULT 'running',
	artifact_count INTEGER NOT NULL DEFAULT 0,
	duration_ms INTEGER,
	errors TEXT,
	scanned_at INTEGER NOT NULL,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_env_scans_project_id ON environment_scans (project_id);
CREATE INDEX IF NOT EXISTS idx_env_scans_scanned_at ON environment_scans (scanned_at);

CREATE TABLE IF NOT EXISTS environment_artifacts (
	id TEXT PRIMARY KEY NOT NULL,
	scan_id TEXT NOT NULL REFERENCES environment_scans (id),
	tool TEXT NOT NULL,
	category TEXT NOT NULL,
	scope TEXT NOT NULL,
	name TEXT NOT NULL,
	rel_path TEXT NOT NULL,
	abs_path TEXT NOT NULL,
	content_hash TEXT NOT NULL,
	preview TEXT,
	metadata TEXT,
	size_bytes INTEGER NOT NULL DEFAULT 0,
	modified_at INTEGER NOT NULL,
	linked_profile_id TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_scan_id ON environment_artifacts (scan_id);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_category ON environment_artifacts (category);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_tool ON environment_artifacts (tool);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_scan_tool ON environment_artifacts (scan_id, tool);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_scan_category ON environment_artifacts (scan_id, category);
CREATE INDEX IF NOT EXISTS idx_env_artifacts_linked_profile ON environment_artifacts (linked_profile_id);

CREATE TABLE IF NOT EXISTS environment_checkpoints (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	label TEXT NOT NULL,
	checkpoint_type TEXT NOT NULL,
	git_tag TEXT,
	git_commit_sha TEXT,
	backup_path TEXT,
	files_count INTEGER NOT NULL DEFAULT 0,
	status TEXT NOT NULL DEFAULT 'active',
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_env_checkpoints_project_status ON environment_checkpoints (project_id, status);

CREATE TABLE IF NOT EXISTS environment_sync_ops (
	id TEXT PRIMARY KEY NOT NULL,
	checkpoint_id TEXT NOT NULL REFERENCES environment_checkpoints (id),
	artifact_id TEXT REFERENCES environment_artifacts (id),
	operation TEXT NOT NULL,
	target_tool TEXT NOT NULL,
	target_path TEXT NOT NULL,
	diff_preview TEXT,
	status TEXT NOT NULL DEFAULT 'pending',
	error TEXT,
	applied_at INTEGER,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_env_sync_ops_checkpoint_id ON environment_sync_ops (checkpoint_id);

CREATE TABLE IF NOT EXISTS environment_templates (
	id TEXT PRIMARY KEY NOT NULL,
	name TEXT NOT NULL,
	description TEXT,
	manifest TEXT NOT NULL,
	scope TEXT NOT NULL DEFAULT 'user',
	artifact_count INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_env_templates_scope ON environment_templates (scope);

CREATE TABLE IF NOT EXISTS chat_messages (
	id TEXT PRIMARY KEY NOT NULL,
	conversation_id TEXT NOT NULL REFERENCES conversations (id),
	role TEXT NOT NULL,
	content TEXT NOT NULL,
	metadata TEXT,
	status TEXT NOT NULL DEFAULT 'complete',
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_chat_messages_conversation_id ON chat_messages (conversation_id);
CREATE INDEX IF NOT EXISTS idx_chat_messages_conversation_created ON chat_messages (conversation_id, created_at);

CREATE TABLE IF NOT EXISTS reading_progress (
	chapter_id TEXT PRIMARY KEY NOT NULL,
	progress INTEGER NOT NULL DEFAULT 0,
	scroll_position INTEGER NOT NULL DEFAULT 0,
	last_read_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);

CREATE TABLE IF NOT EXISTS bookmarks (
	id TEXT PRIMARY KEY NOT NULL,
	chapter_id TEXT NOT NULL,
	section_id TEXT,
	scroll_position INTEGER NOT NULL DEFAULT 0,
	label TEXT NOT NULL,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_bookmarks_chapter_id ON bookmarks (chapter_id);

CREATE TABLE IF NOT EXISTS repo_imports (
	id TEXT PRIMARY KEY NOT NULL,
	repo_url TEXT NOT NULL,
	repo_owner TEXT NOT NULL,
	repo_name TEXT NOT NULL,
	branch TEXT NOT NULL,
	commit_sha TEXT NOT NULL,
	profile_ids TEXT NOT NULL,
	skill_count INTEGER NOT NULL,
	last_checked_at INTEGER,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_repo_imports_repo_url ON repo_imports (repo_url);
CREATE INDEX IF NOT EXISTS idx_repo_imports_owner_name ON repo_imports (repo_owner, repo_name);

CREATE TABLE IF NOT EXISTS agent_memory (
	id TEXT PRIMARY KEY NOT NULL,
	profile_id TEXT NOT NULL,
	category TEXT NOT NULL,
	content TEXT NOT NULL,
	confidence INTEGER NOT NULL DEFAULT 700,
	source_task_id TEXT REFERENCES tasks (id),
	tags TEXT,
	last_accessed_at INTEGER,
	access_count INTEGER NOT NULL DEFAULT 0,
	decay_rate INTEGER NOT NULL DEFAULT 10,
	status TEXT NOT NULL DEFAULT 'active',
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_agent_memory_profile_status ON agent_memory (profile_id, status);
CREATE INDEX IF NOT EXISTS idx_agent_memory_confidence ON agent_memory (confidence);

CREATE TABLE IF NOT EXISTS profile_test_results (
	id TEXT PRIMARY KEY NOT NULL,
	profile_id TEXT NOT NULL,
	runtime_id TEXT NOT NULL,
	report_json TEXT NOT NULL,
	total_passed INTEGER NOT NULL DEFAULT 0,
	total_failed INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_profile_test_results_profile_runtime ON profile_test_results (profile_id, runtime_id);

CREATE TABLE IF NOT EXISTS channel_configs (
	id TEXT PRIMARY KEY NOT NULL,
	channel_type TEXT NOT NULL,
	name TEXT NOT NULL,
	config TEXT NOT NULL,
	status TEXT NOT NULL DEFAULT 'active',
	test_status TEXT NOT NULL DEFAULT 'untested',
	direction TEXT NOT NULL DEFAULT 'outbound',
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_channel_configs_type ON channel_configs (channel_type);

CREATE TABLE IF NOT EXISTS channel_bindings (
	id TEXT PRIMARY KEY NOT NULL,
	channel_config_id TEXT NOT NULL REFERENCES channel_configs (id),
	conversation_id TEXT NOT NULL REFERENCES conversations (id),
	external_thread_id TEXT,
	runtime_id TEXT NOT NULL,
	model_id TEXT,
	profile_id TEXT,
	status TEXT NOT NULL DEFAULT 'active',
	pending_request_id TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_channel_bindings_config ON channel_bindings (channel_config_id);
CREATE INDEX IF NOT EXISTS idx_channel_bindings_conversation ON channel_bindings (conversation_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_channel_bindings_config_thread ON channel_bindings (channel_config_id, external_thread_id);

CREATE TABLE IF NOT EXISTS agent_messages (
	id TEXT PRIMARY KEY NOT NULL,
	from_profile_id TEXT NOT NULL,
	to_profile_id TEXT NOT NULL,
	task_id TEXT REFERENCES tasks (id),
	target_task_id TEXT REFERENCES tasks (id),
	subject TEXT NOT NULL,
	body TEXT NOT NULL,
	attachments TEXT,
	priority INTEGER NOT NULL DEFAULT 2,
	status TEXT NOT NULL DEFAULT 'pending',
	requires_approval INTEGER NOT NULL DEFAULT 0,
	approved_by TEXT,
	parent_message_id TEXT,
	chain_depth INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	responded_at INTEGER,
	expires_at INTEGER
);
CREATE INDEX IF NOT EXISTS idx_agent_messages_to_status ON agent_messages (to_profile_id, status);
CREATE INDEX IF NOT EXISTS idx_agent_messages_task ON agent_messages (task_id);

CREATE TABLE IF NOT EXISTS workflow_document_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	workflow_id TEXT NOT NULL REFERENCES workflows (id),
	document_id TEXT NOT NULL REFERENCES documents (id),
	step_id TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_wdi_workflow ON workflow_document_inputs (workflow_id);
CREATE INDEX IF NOT EXISTS idx_wdi_document ON workflow_document_inputs (document_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_wdi_workflow_doc_step ON workflow_document_inputs (workflow_id, document_id, step_id);

CREATE TABLE IF NOT EXISTS schedule_document_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	schedule_id TEXT NOT NULL REFERENCES schedules (id),
	document_id TEXT NOT NULL REFERENCES documents (id),
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_sdi_schedule ON schedule_document_inputs (schedule_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_sdi_schedule_doc ON schedule_document_inputs (schedule_id, document_id);

CREATE TABLE IF NOT EXISTS project_document_defaults (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT NOT NULL REFERENCES projects (id),
	document_id TEXT NOT NULL REFERENCES documents (id),
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_pdd_project ON project_document_defaults (project_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_pdd_project_doc ON project_document_defaults (project_id, document_id);

CREATE TABLE IF NOT EXISTS user_tables (
	id TEXT PRIMARY KEY NOT NULL,
	project_id TEXT REFERENCES projects (id),
	name TEXT NOT NULL,
	description TEXT,
	column_schema TEXT NOT NULL DEFAULT '[]',
	row_count INTEGER NOT NULL DEFAULT 0,
	source TEXT NOT NULL DEFAULT 'manual',
	template_id TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_tables_project_id ON user_tables (project_id);
CREATE INDEX IF NOT EXISTS idx_user_tables_source ON user_tables (source);

CREATE TABLE IF NOT EXISTS user_table_columns (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	name TEXT NOT NULL,
	display_name TEXT NOT NULL,
	data_type TEXT NOT NULL,
	position INTEGER NOT NULL,
	required INTEGER NOT NULL DEFAULT 0,
	default_value TEXT,
	config TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_columns_table_id ON user_table_columns (table_id);
CREATE INDEX IF NOT EXISTS idx_user_table_columns_position ON user_table_columns (table_id, position);

CREATE TABLE IF NOT EXISTS user_table_rows (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	data TEXT NOT NULL DEFAULT '{}',
	position INTEGER NOT NULL,
	created_by TEXT DEFAULT 'user',
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_rows_table_id ON user_table_rows (table_id);
CREATE INDEX IF NOT EXISTS idx_user_table_rows_position ON user_table_rows (table_id, position);

CREATE TABLE IF NOT EXISTS user_table_views (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	name TEXT NOT NULL,
	type TEXT NOT NULL DEFAULT 'grid',
	config TEXT,
	is_default INTEGER NOT NULL DEFAULT 0,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_views_table_id ON user_table_views (table_id);

CREATE TABLE IF NOT EXISTS user_table_relationships (
	id TEXT PRIMARY KEY NOT NULL,
	from_table_id TEXT NOT NULL REFERENCES user_tables (id),
	from_column TEXT NOT NULL,
	to_table_id TEXT NOT NULL REFERENCES user_tables (id),
	to_column TEXT NOT NULL,
	relationship_type TEXT NOT NULL,
	config TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_rels_from ON user_table_relationships (from_table_id);
CREATE INDEX IF NOT EXISTS idx_user_table_rels_to ON user_table_relationships (to_table_id);

CREATE TABLE IF NOT EXISTS user_table_templates (
	id TEXT PRIMARY KEY NOT NULL,
	name TEXT NOT NULL,
	description TEXT,
	category TEXT NOT NULL,
	column_schema TEXT NOT NULL,
	sample_data TEXT,
	scope TEXT NOT NULL DEFAULT 'system',
	icon TEXT,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_templates_category ON user_table_templates (category);
CREATE INDEX IF NOT EXISTS idx_user_table_templates_scope ON user_table_templates (scope);

CREATE TABLE IF NOT EXISTS user_table_imports (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	document_id TEXT REFERENCES documents (id),
	row_count INTEGER NOT NULL DEFAULT 0,
	error_count INTEGER NOT NULL DEFAULT 0,
	errors TEXT,
	status TEXT NOT NULL DEFAULT 'pending',
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_imports_table_id ON user_table_imports (table_id);

CREATE TABLE IF NOT EXISTS table_document_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	document_id TEXT NOT NULL REFERENCES documents (id),
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_tdi_table ON table_document_inputs (table_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_tdi_table_doc ON table_document_inputs (table_id, document_id);

CREATE TABLE IF NOT EXISTS task_table_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	task_id TEXT NOT NULL REFERENCES tasks (id),
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_tti_task ON task_table_inputs (task_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_tti_task_table ON task_table_inputs (task_id, table_id);

CREATE TABLE IF NOT EXISTS workflow_table_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	workflow_id TEXT NOT NULL REFERENCES workflows (id),
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	step_id TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_wti_workflow ON workflow_table_inputs (workflow_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_wti_workflow_table_step ON workflow_table_inputs (workflow_id, table_id, step_id);

CREATE TABLE IF NOT EXISTS schedule_table_inputs (
	id TEXT PRIMARY KEY NOT NULL,
	schedule_id TEXT NOT NULL REFERENCES schedules (id),
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_sti_schedule ON schedule_table_inputs (schedule_id);
CREATE UNIQUE INDEX IF NOT EXISTS idx_sti_schedule_table ON schedule_table_inputs (schedule_id, table_id);

CREATE TABLE IF NOT EXISTS user_table_triggers (
	id TEXT PRIMARY KEY NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	name TEXT NOT NULL,
	trigger_event TEXT NOT NULL,
	condition TEXT,
	action_type TEXT NOT NULL,
	action_config TEXT NOT NULL,
	status TEXT NOT NULL DEFAULT 'active',
	fire_count INTEGER NOT NULL DEFAULT 0,
	last_fired_at INTEGER,
	created_at INTEGER NOT NULL,
	updated_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_user_table_triggers_table_id ON user_table_triggers (table_id);
CREATE INDEX IF NOT EXISTS idx_user_table_triggers_status ON user_table_triggers (status);

CREATE TABLE IF NOT EXISTS user_table_row_history (
	id TEXT PRIMARY KEY NOT NULL,
	row_id TEXT NOT NULL,
	table_id TEXT NOT NULL REFERENCES user_tables (id),
	previous_data TEXT NOT NULL,
	changed_by TEXT DEFAULT 'user',
	change_type TEXT NOT NULL,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_row_history_row_id ON user_table_row_history (row_id);
CREATE INDEX IF NOT EXISTS idx_row_history_table_id ON user_table_row_history (table_id);
CREATE INDEX IF NOT EXISTS idx_row_history_created_at ON user_table_row_history (created_at);

CREATE TABLE IF NOT EXISTS snapshots (
	id TEXT PRIMARY KEY NOT NULL,
	label TEXT NOT NULL,
	type TEXT NOT NULL DEFAULT 'manual',
	status TEXT NOT NULL DEFAULT 'in_progress',
	file_path TEXT NOT NULL,
	size_bytes INTEGER NOT NULL DEFAULT 0,
	db_size_bytes INTEGER NOT NULL DEFAULT 0,
	files_size_bytes INTEGER NOT NULL DEFAULT 0,
	file_count INTEGER NOT NULL DEFAULT 0,
	error TEXT,
	created_at INTEGER NOT NULL
);
CREATE INDEX IF NOT EXISTS idx_snapshots_type ON snapshots (type);
CREATE INDEX IF NOT EXISTS idx_snapshots_created_at ON snapshots (created_at);
