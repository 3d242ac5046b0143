-- Profiles are files; what is in the database is about them.

-- The next look at the environment scans anew: scans are fresh for five minutes.
-- name: PROFILE_SCANS_STALE
UPDATE environment_scans SET scanned_at = ?1 - 301 WHERE scanned_at > ?1 - 301;

-- name: PROFILE_REPORT
SELECT report_json FROM profile_test_results WHERE profile_id = ?1 AND runtime_id = ?2
ORDER BY created_at DESC, rowid DESC LIMIT 1;

-- name: PROFILE_REPORT_DELETE
DELETE FROM profile_test_results WHERE profile_id = ?1 AND runtime_id = ?2;

-- name: PROFILE_REPORT_INSERT
INSERT INTO profile_test_results (id, profile_id, runtime_id, report_json, total_passed,
	total_failed, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7);

-- name: REPO_IMPORT_LIST
SELECT @repo_import FROM repo_imports ORDER BY created_at DESC, rowid;

-- name: REPO_IMPORT_PROFILES
SELECT profile_ids FROM repo_imports WHERE id = ?1;

-- name: REPO_IMPORT_INSERT
INSERT INTO repo_imports (id, repo_url, repo_owner, repo_name, branch, commit_sha, profile_ids,
	skill_count, created_at)
VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9);

-- name: REPO_IMPORT_CHECKED
UPDATE repo_imports SET last_checked_at = ?2 WHERE id = ?1;
