-- The roles and their rights (contract, sections 4 and 5).
-- migrate-schema: requires-superuser
-- or the roles migrator, bench_ingest and bench_read made before: (SELECT count(*) = 3 FROM pg_roles WHERE rolname IN ('migrator', 'bench_ingest', 'bench_read'))
-- needs to own the tables: NOT EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass('public.commits'), to_regclass('public.query_measurements'), to_regclass('public.compression_times'), to_regclass('public.compression_sizes'), to_regclass('public.random_access_times'), to_regclass('public.vector_search_runs'), to_regclass('public._applied_migrations')) AND NOT pg_has_role(relowner, 'USAGE'))
-- earlier content: 940acd9aee4ed2a266bf2eab34b2790c6715c44eb74f69c2d25e53b2cc8cf012

DO $$
DECLARE
  name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['migrator', 'bench_ingest', 'bench_read'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN', name);
    END IF;
    -- On RDS a member of rds_iam logs in with a short-lived token and can no longer use a password. bench_read logs in
    -- with a password, so it must not be a member.
    IF name <> 'bench_read' AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'rds_iam' AND NOT pg_has_role(name::name, oid, 'MEMBER')) THEN
      EXECUTE format('GRANT rds_iam TO %I', name);
    END IF;
  END LOOP;
END
$$;

GRANT USAGE, CREATE ON SCHEMA public TO migrator;
GRANT USAGE ON SCHEMA public TO bench_ingest, bench_read;

GRANT SELECT, INSERT, UPDATE ON
  commits, query_measurements, compression_times, compression_sizes, random_access_times, vector_search_runs
TO bench_ingest;

GRANT SELECT ON
  commits, query_measurements, compression_times, compression_sizes, random_access_times, vector_search_runs
TO bench_read;

GRANT SELECT ON _applied_migrations TO migrator, bench_ingest, bench_read;
GRANT INSERT ON _applied_migrations TO migrator;
