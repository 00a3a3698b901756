-- Contract version 3: whether the file stayed open between two reads. Rows of earlier versions were measured with `cached`.
-- needs to own the table random_access_times: NOT EXISTS (SELECT FROM pg_class WHERE oid IN (to_regclass('public.random_access_times')) AND NOT pg_has_role(relowner, 'USAGE'))

ALTER TABLE random_access_times ADD COLUMN IF NOT EXISTS open_mode text NOT NULL DEFAULT 'cached';

DO $$
BEGIN
  IF NOT EXISTS (
    SELECT FROM pg_constraint
    WHERE conrelid = 'public.random_access_times'::regclass AND conname = 'random_access_times_open_mode_check'
  ) THEN
    ALTER TABLE random_access_times
      ADD CONSTRAINT random_access_times_open_mode_check CHECK (open_mode IN ('cached', 'reopen'));
  END IF;
END
$$;
