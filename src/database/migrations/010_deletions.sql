-- Who deleted records, when and why (`vortex-ingest delete`), and the role that may. The tables of the contract are not changed.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs to create a schema: has_database_privilege(current_database(), 'CREATE')

CREATE SCHEMA IF NOT EXISTS vortex_ingest;

-- `records` has the number of deleted records by table, `deliveries` the ids of the deliveries that wrote them. `run` is null
-- when the whole commit was deleted.
CREATE TABLE IF NOT EXISTS vortex_ingest.deletions (
  deletion_id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
  commit_sha text NOT NULL,
  run text,
  records jsonb NOT NULL,
  deliveries text[] NOT NULL,
  reason text,
  role text NOT NULL DEFAULT session_user,
  deleted_by text NOT NULL,
  deleted_at timestamptz NOT NULL DEFAULT now()
);

DO $$
DECLARE
  name text;
BEGIN
  -- A role that has no password yet, so that nobody can log in as it. Where this role may not create roles, an administrator does,
  -- and applies this file again.
  IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_delete')
    AND (SELECT rolsuper OR rolcreaterole FROM pg_roles WHERE rolname = current_user) THEN
    CREATE ROLE bench_delete LOGIN;
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam') THEN
      GRANT rds_iam TO bench_delete;
    END IF;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_delete') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_delete;
    IF has_schema_privilege('public', 'USAGE WITH GRANT OPTION') THEN
      GRANT USAGE ON SCHEMA public TO bench_delete;
    END IF;
    GRANT SELECT, INSERT ON vortex_ingest.deletions TO bench_delete;
    -- Only the owner of the tables can grant rights on them.
    FOR name IN SELECT oid::regclass::text FROM pg_class WHERE pg_has_role(relowner, 'USAGE') AND oid IN (
      to_regclass('public.commits'), to_regclass('public.query_measurements'), to_regclass('public.compression_times'),
      to_regclass('public.compression_sizes'), to_regclass('public.random_access_times'), to_regclass('public.vector_search_runs')
    ) LOOP
      EXECUTE format('GRANT SELECT, DELETE ON %s TO bench_delete', name);
    END LOOP;
    IF to_regclass('vortex_ingest.delivered_ids') IS NOT NULL THEN
      GRANT SELECT, DELETE ON vortex_ingest.deliveries, vortex_ingest.delivered_ids TO bench_delete;
    END IF;
  END IF;
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_read') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_read;
    GRANT SELECT ON vortex_ingest.deletions TO bench_read;
  END IF;
END
$$;
