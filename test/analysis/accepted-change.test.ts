/** The patterns by which accepted changes name series. */

import t from 'tap'
import { matchesPattern } from '../../src/analysis/accepted-change.js'

const NAME = 'query_measurement tpch 10 q7 nvme duckdb parquet (hot)'

t.test('a pattern matches whole words in their order', async t => {
  for (const pattern of ['tpch', 'tpch 10', 'tpch * q7', 'tp* q7', '*', '* par*', 'nvme*', 'parquet (hot)', NAME])
    t.ok(matchesPattern(NAME, pattern), pattern)
  for (const pattern of ['tpc', 'pch', 'q7 * tpch', '10 nvme', 'tpch*tpch', 'q.', 'hot'])
    t.notOk(matchesPattern(NAME, pattern), pattern)
})

t.test('a pattern with many asterisks is decided at once', async t => {
  const start = performance.now()
  t.notOk(matchesPattern('a'.repeat(1_000), `${'*a'.repeat(100)}*b`))
  t.ok(performance.now() - start < 1_000)
})
