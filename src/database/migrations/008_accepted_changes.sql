-- Changes of measurements that somebody has accepted as known, so that `vortex-ingest changes` does not fail on them again.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs to create a schema: has_database_privilege(current_database(), 'CREATE')

CREATE SCHEMA IF NOT EXISTS vortex_ingest;

-- `series` has patterns of the names of series; an empty list means all series of the commit.
CREATE TABLE IF NOT EXISTS vortex_ingest.accepted_changes (
  acceptance_id text PRIMARY KEY,
  commit_sha text NOT NULL,
  series text[] NOT NULL,
  note text NOT NULL,
  accepted_by text NOT NULL,
  accepted_at timestamptz NOT NULL,
  withdrawn_by text,
  withdrawn_at timestamptz
);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_ingest') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_ingest;
    GRANT SELECT, INSERT, UPDATE ON vortex_ingest.accepted_changes TO bench_ingest;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_read') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_read;
    GRANT SELECT ON vortex_ingest.accepted_changes TO bench_read;
  END IF;
END
$$;
