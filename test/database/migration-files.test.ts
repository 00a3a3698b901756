import t from 'tap'
import { MAY_MAKE_ROLES, migrationFiles, parseNeeds } from '../../src/database/migration-files.js'

t.test('a marked file needs a superuser or CREATEROLE, or the alternative in the line after the marker', async t => {
  t.strictSame(parseNeeds('-- a comment\nSELECT 1;\n'), [])
  t.strictSame(parseNeeds('-- migrate-schema requires-superuser\n'), [], 'only the exact marker counts')
  t.strictSame(parseNeeds("SELECT '-- migrate-schema: requires-superuser'"), [])
  const right = { right: 'CREATEROLE', condition: `(${MAY_MAKE_ROLES})` }
  t.strictSame(parseNeeds('-- A header.\n  --- migrate-schema: requires-superuser \nSELECT 1;\n'), [right])
  t.strictSame(parseNeeds('-- migrate-schema: requires-superuser\n-- or luck: 1 = 1\n-- needs love: 2 = 2\n'), [
    { right: 'CREATEROLE (or luck)', condition: `${right.condition} OR 1 = 1` },
    { right: 'love', condition: '2 = 2' },
  ])
})

t.test('the file that makes roles is marked', async t => {
  const needs = (await migrationFiles()).map(({ name, needs }) => [
    name,
    needs.some(({ right }) => /CREATEROLE/.test(right)),
  ])
  t.strictSame(
    needs.filter(([, isMarked]) => isMarked).map(([name]) => name),
    ['003_roles.sql'],
  )
})
