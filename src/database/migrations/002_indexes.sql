-- The indexes of the contract, section 5.
-- needs to own the tables: NOT EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass('public.commits'), to_regclass('public.query_measurements'), to_regclass('public.compression_times'), to_regclass('public.compression_sizes'), to_regclass('public.random_access_times'), to_regclass('public.vector_search_runs')) AND NOT pg_has_role(relowner, 'USAGE'))
-- earlier content: 1595d5ba7660f407bc332a826291d3d6cdab12f70910ab14b26d8142cb73fee1

DO $$
DECLARE
  wanted record;
BEGIN
  FOR wanted IN
    SELECT * FROM (VALUES
      ('commits_by_time', 'commits', '(timestamp DESC, commit_sha DESC)'),
      ('query_measurements_by_query', 'query_measurements', '(dataset, dataset_variant, scale_factor, storage, query_idx)'),
      ('query_measurements_by_series', 'query_measurements', '(dataset, dataset_variant, scale_factor, storage, query_idx, engine, format, commit_timestamp DESC) INCLUDE (value_ns)'),
      ('query_measurements_by_engine', 'query_measurements', '(engine)'),
      ('query_measurements_by_format', 'query_measurements', '(format)'),
      ('compression_times_by_dataset', 'compression_times', '(dataset, dataset_variant)'),
      ('compression_times_by_format', 'compression_times', '(format)'),
      ('compression_sizes_by_dataset', 'compression_sizes', '(dataset, dataset_variant)'),
      ('compression_sizes_by_format', 'compression_sizes', '(format)'),
      ('random_access_times_by_dataset', 'random_access_times', '(dataset)'),
      ('random_access_times_by_format', 'random_access_times', '(format)'),
      ('vector_search_runs_by_threshold', 'vector_search_runs', '(dataset, layout, threshold)')
    ) AS indexes (name, on_table, shape)
  LOOP
    -- A valid index with the same definition is enough, whatever its name.
    CONTINUE WHEN EXISTS (
      SELECT FROM pg_index
      WHERE indrelid = format('public.%I', wanted.on_table)::regclass AND indisvalid
        AND split_part(replace(pg_get_indexdef(indexrelid), '"', ''), ' USING btree ', 2) = wanted.shape
    );
    EXECUTE format('CREATE INDEX IF NOT EXISTS %I ON public.%I %s', wanted.name, wanted.on_table, wanted.shape);
  END LOOP;
END
$$;
