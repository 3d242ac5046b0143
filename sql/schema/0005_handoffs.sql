-- The job runner looks for handoffs by state all the time, and every end of a run for that of its
-- task.
CREATE INDEX IF NOT EXISTS idx_agent_messages_status ON agent_messages (status, created_at);
CREATE INDEX IF NOT EXISTS idx_agent_messages_target ON agent_messages (target_task_id);
