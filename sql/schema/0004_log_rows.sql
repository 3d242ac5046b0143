-- The row number of agent_logs is the cursor of the log streams (Last-Event-ID), so a number must
-- not come twice. SQLite gives the highest ones anew once their rows are deleted; the table cannot
-- have AUTOINCREMENT, as its form is that of Stagent 0.7.0. So the highest number that was ever
-- deleted is kept, and a new row that is not above it moves behind it. Triggers, so that it holds
-- for every program that writes the file. An insertion costs a look at one cached row; only the
-- deletion of the newest row writes.
CREATE TABLE IF NOT EXISTS agent_log_mark (
	id INTEGER PRIMARY KEY CHECK (id = 1),
	deleted_to INTEGER NOT NULL
) STRICT;
INSERT INTO agent_log_mark (id, deleted_to) VALUES (1, 0) ON CONFLICT (id) DO NOTHING;

CREATE TRIGGER IF NOT EXISTS agent_log_deleted AFTER DELETE ON agent_logs
WHEN NOT EXISTS (SELECT 1 FROM agent_logs WHERE rowid > OLD.rowid)
BEGIN
	UPDATE agent_log_mark SET deleted_to = max(deleted_to, OLD.rowid) WHERE id = 1;
END;

CREATE TRIGGER IF NOT EXISTS agent_log_added AFTER INSERT ON agent_logs
WHEN NEW.rowid <= (SELECT deleted_to FROM agent_log_mark WHERE id = 1)
BEGIN
	UPDATE agent_logs SET rowid = max((SELECT deleted_to FROM agent_log_mark WHERE id = 1),
		(SELECT max(rowid) FROM agent_logs)) + 1
	WHERE rowid = NEW.rowid;
END;
