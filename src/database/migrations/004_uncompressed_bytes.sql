-- Contract version 2: the size before compression. Rows of version 1 have null.
-- needs to own the table compression_sizes: NOT EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass('public.compression_sizes')) AND NOT pg_has_role(relowner, 'USAGE'))

ALTER TABLE compression_sizes ADD COLUMN IF NOT EXISTS uncompressed_bytes bigint;
