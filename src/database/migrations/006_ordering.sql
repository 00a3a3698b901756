-- Tables of this program, in a schema of its own. With them a late or repeated delivery cannot replace newer values, and a
-- process that lost its lease cannot write (docs/promises.md). The tables of the contract are not changed.
-- optional: a push works without it, and applying it again repairs what was removed
-- needs to create a schema: has_database_privilege(current_database(), 'CREATE')

CREATE SCHEMA IF NOT EXISTS vortex_ingest;

-- One row per delivery. `producer`, `run` and `attempt` name the attempt of a CI run, if there was one.
CREATE TABLE IF NOT EXISTS vortex_ingest.deliveries (
  delivery_id text PRIMARY KEY,
  commit_sha text NOT NULL,
  producer text,
  run bigint,
  attempt bigint,
  produced_at timestamptz NOT NULL,
  applied_at timestamptz NOT NULL DEFAULT now()
);

CREATE INDEX IF NOT EXISTS deliveries_commit ON vortex_ingest.deliveries (commit_sha);

-- The measurements that a delivery wrote or confirmed, by table.
CREATE TABLE IF NOT EXISTS vortex_ingest.delivered_ids (
  delivery_id text NOT NULL,
  table_name text NOT NULL,
  ids bigint[] NOT NULL,
  PRIMARY KEY (delivery_id, table_name)
);

-- Measurement ids do not compress.
ALTER TABLE vortex_ingest.delivered_ids ALTER COLUMN ids SET STORAGE EXTERNAL;

-- How far a state has delivered a partition to a target, and the fencing token of the lease under which it did.
CREATE TABLE IF NOT EXISTS vortex_ingest.watermarks (
  watermark_id text PRIMARY KEY,
  target_id text NOT NULL,
  partition text NOT NULL,
  delivered_until bigint NOT NULL,
  fencing_token bigint NOT NULL,
  moved_at timestamptz NOT NULL DEFAULT now()
);

DO $$
BEGIN
  IF EXISTS (SELECT FROM pg_roles WHERE rolname = 'bench_ingest') THEN
    GRANT USAGE ON SCHEMA vortex_ingest TO bench_ingest;
    GRANT SELECT, INSERT ON vortex_ingest.deliveries, vortex_ingest.delivered_ids TO bench_ingest;
    GRANT SELECT, INSERT, UPDATE ON vortex_ingest.watermarks TO bench_ingest;
  END IF;
END
$$;
