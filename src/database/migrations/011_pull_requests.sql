-- Which commits were measured for a pull request, so that they are kept out of the charts of the main line.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs to own vortex_ingest.commit_ancestry: coalesce((SELECT pg_has_role(relowner, 'USAGE') FROM pg_class WHERE oid = to_regclass('vortex_ingest.commit_ancestry')), true)

-- False again when the commit is also measured on a branch, after the pull request was merged by moving the branch to it.
ALTER TABLE vortex_ingest.commit_ancestry ADD COLUMN IF NOT EXISTS is_pull_request boolean NOT NULL DEFAULT false;
