-- Lists of documents are sorted by an index, so that no sorter holds their texts; and extraction looks
-- for what is pending.
CREATE INDEX IF NOT EXISTS idx_documents_created_at ON documents (created_at DESC);
CREATE INDEX IF NOT EXISTS idx_documents_pending ON documents (updated_at)
	WHERE status IN ('uploaded', 'processing');
