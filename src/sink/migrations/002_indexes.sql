-- The indexes of the contract, section 5.
-- needs to own the tables: NOT EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass('public.commits'), to_regclass('public.query_measurements'), to_regclass('public.compression_times'), to_regclass('public.compression_sizes'), to_regclass('public.random_access_times'), to_regclass('public.vector_search_runs')) AND NOT pg_has_role(relowner, 'USAGE'))

CREATE INDEX IF NOT EXISTS commits_by_time ON commits (timestamp DESC, commit_sha DESC);

CREATE INDEX IF NOT EXISTS query_measurements_by_query
  ON query_measurements (dataset, dataset_variant, scale_factor, storage, query_idx);
CREATE INDEX IF NOT EXISTS query_measurements_by_series
  ON query_measurements (dataset, dataset_variant, scale_factor, storage, query_idx, engine, format, commit_timestamp DESC)
  INCLUDE (value_ns);
CREATE INDEX IF NOT EXISTS query_measurements_by_engine ON query_measurements (engine);
CREATE INDEX IF NOT EXISTS query_measurements_by_format ON query_measurements (format);

CREATE INDEX IF NOT EXISTS compression_times_by_dataset ON compression_times (dataset, dataset_variant);
CREATE INDEX IF NOT EXISTS compression_times_by_format ON compression_times (format);

CREATE INDEX IF NOT EXISTS compression_sizes_by_dataset ON compression_sizes (dataset, dataset_variant);
CREATE INDEX IF NOT EXISTS compression_sizes_by_format ON compression_sizes (format);

CREATE INDEX IF NOT EXISTS random_access_times_by_dataset ON random_access_times (dataset);
CREATE INDEX IF NOT EXISTS random_access_times_by_format ON random_access_times (format);

CREATE INDEX IF NOT EXISTS vector_search_runs_by_threshold ON vector_search_runs (dataset, layout, threshold);
