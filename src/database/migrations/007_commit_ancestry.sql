-- The parents of commits, in a schema of our own, so that the order of commits is known where git is not. The tables of the
-- contract are not changed.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs CREATE on the schema vortex_ingest: to_regnamespace('vortex_ingest') IS NULL OR has_schema_privilege(to_regnamespace('vortex_ingest'), 'CREATE')

-- `first_parents` has the first parent, its first parent and so on, as far as they are worth storing. `is_complete` says that it
-- ends with the first commit of the repository.
CREATE TABLE IF NOT EXISTS vortex_ingest.commit_ancestry (
  commit_sha text PRIMARY KEY,
  parents text[] NOT NULL,
  first_parents text[] NOT NULL,
  is_complete boolean NOT NULL
);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_ingest') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_ingest;
    GRANT SELECT, INSERT, UPDATE ON vortex_ingest.commit_ancestry TO bench_ingest;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_read') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_read;
    GRANT SELECT ON vortex_ingest.commit_ancestry TO bench_read;
  END IF;
END
$$;
