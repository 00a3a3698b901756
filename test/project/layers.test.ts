import t from 'tap'
import { fileURLToPath } from 'node:url'
import { duplicateExports, layerViolations } from '../../scripts/check-layers.js'

t.test('imports point one way, and no two modules import each other', async t => {
  t.strictSame(layerViolations(fileURLToPath(new URL('../../src', import.meta.url))), [])
})

t.test('an import that looks up, sideways or around is found', async t => {
  const root = t.testdir({
    'errors.ts': '',
    contract: { 'kinds.ts': `import '../targets/sink.js'` },
    source: { 'lines.ts': `import '../commit/git.js'` },
    commit: { 'git.ts': `import type { A } from './a.js'`, 'a.ts': `import { b } from './git.js'` },
    targets: {
      'sink.ts': '',
      postgres: { 'a.ts': `import '../embedded/b.js'` },
      embedded: { 'b.ts': `await import('../sink.js')` },
    },
    surprise: { 'x.ts': '' },
  })
  const found = layerViolations(root).join('\n')
  t.match(found, /contract\/kinds\.ts imports targets\/sink\.ts, which is not below it/)
  t.match(found, /source\/lines\.ts imports commit\/git\.ts, which is not below it/)
  t.match(found, /targets\/postgres\/a\.ts imports targets\/embedded\/b\.ts: backends do not know each other/)
  t.match(found, /cycle: commit\/.* → commit\//)
  t.match(found, /surprise\/x\.ts is in no layer/)
  t.notMatch(found, /embedded\/b\.ts imports targets\/sink\.ts/)
})

t.test('no name is exported by two modules', async t => {
  t.strictSame(duplicateExports(fileURLToPath(new URL('../../src', import.meta.url))), [])
})

t.test('a name that two modules export is found, unless one only passes it on', async t => {
  const root = t.testdir({
    'a.ts': 'export type Place = 1\nexport const [left] = [1]\nexport { Place as Spot }',
    'b.ts': `export type Place = 2\nexport { Other } from './c.js'\nconst left = 1`,
    'c.ts': 'export class Other {}\nexport function read(): void\nexport function read(): void {}',
  })
  t.strictSame(duplicateExports(root), ['Place is exported by a.ts and b.ts: give each a name of its own'])
})

t.test('SQL and database drivers outside src/database are found', async t => {
  const root = t.testdir({
    database: { 'rows.ts': `import 'pg'; session.query('SELECT 1')` },
    delivery: {
      'a.ts': 'const text = `\n  SELECT * FROM public.${table}`',
      'b.ts': `import type { QueryResult } from 'pg'`,
      'c.ts': `const open = () => import('@electric-sql/pglite')`,
      'd.ts': `session.query(statement)`,
      'e.ts': `const begin = 'BEGIN'; const limit = 'SET LOCAL statement_timeout TO 1'`,
      'f.ts': `const routes = { method: 'DELETE', rights: ['SELECT', 'UPDATE'], hint: 'REVOKE the rest', page: 'pg' }`,
    },
  })
  const found = layerViolations(root)
  t.strictSame(
    found.map(line => line.replace(/: only .*/, '')),
    [
      'delivery/a.ts:1 contains the statement SELECT * FROM public…',
      'delivery/b.ts:1 imports pg',
      `delivery/c.ts:1 imports @electric-sql/pglite`,
      'delivery/d.ts:1 calls query()',
      'delivery/e.ts:1 contains the statement BEGIN…',
      'delivery/e.ts:1 contains the statement SET LOCAL statement_…',
    ],
  )
})
