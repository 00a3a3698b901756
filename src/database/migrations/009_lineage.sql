-- Where the records of each delivery come from, so that a stored value can be traced to its CI run and its file (docs/lineage.md).
-- The tables of the contract are not changed.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs to own the table vortex_ingest.deliveries: NOT EXISTS (SELECT FROM pg_class WHERE relname = 'deliveries' AND relnamespace = to_regnamespace('vortex_ingest') AND NOT pg_has_role(relowner, 'USAGE'))

-- `sources` has at most as many of the `source_count` sources as fit: name, hash of the whole source, and its lines. `records` has
-- the number of records that were sent, by kind. All columns are null for deliveries before this migration.
ALTER TABLE IF EXISTS vortex_ingest.deliveries
  ADD COLUMN IF NOT EXISTS benchmark_id text,
  ADD COLUMN IF NOT EXISTS run_url text,
  ADD COLUMN IF NOT EXISTS sources jsonb,
  ADD COLUMN IF NOT EXISTS source_count integer,
  ADD COLUMN IF NOT EXISTS records jsonb,
  ADD COLUMN IF NOT EXISTS tool_version text,
  ADD COLUMN IF NOT EXISTS contract_version integer,
  ADD COLUMN IF NOT EXISTS target text;

DO $$
BEGIN
  IF to_regclass('vortex_ingest.delivered_ids') IS NOT NULL AND EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_read') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_read;
    GRANT SELECT ON vortex_ingest.deliveries, vortex_ingest.delivered_ids TO bench_read;
  END IF;
END
$$;
