import t from 'tap'
import { chmod } from 'node:fs/promises'
import { join } from 'node:path'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { lookUpPassword } from '../../../src/database/postgres/password.js'

const FILE = `# a comment
other:5432:bench:u:not this
h:5433:bench:u:nor this
h:5432:bench:we\\:ird\\\\:p\\:a\\\\ss
h:*:bench:u:first match
*:*:*:u:everything else
*:*:*:empty:
short:line
`

async function lookUp(file: string, dsn: string): Promise<string | undefined> {
  return lookUpPassword(file, parseDsn(dsn, { insecureLocal: false }))
}

t.test('the password is taken from the first matching line', async t => {
  const file = join(t.testdir({ pass: FILE }), 'pass')
  await chmod(file, 0o600)
  t.equal(await lookUp(file, 'postgres://u@h/bench'), 'first match')
  t.equal(await lookUp(file, 'postgres://u@h/elsewhere'), 'everything else')
  t.equal(await lookUp(file, 'postgres://we%3Aird%5C@h/bench'), 'p:a\\ss')
  t.equal(await lookUp(file, 'postgres://stranger@h/bench'), undefined)
  t.equal(await lookUp(file, 'postgres://empty@h/bench'), undefined)
})

t.test('a file that is missing or readable by others is an error, not a missing password', async t => {
  const dir = t.testdir({ open: FILE })
  await chmod(join(dir, 'open'), 0o644)
  for (const [name, message] of [
    ['open', /other users can read it/],
    ['missing', /no such file/],
  ] as const)
    await t.rejects(lookUp(join(dir, name), 'postgres://u@h/bench'), { code: 'config_invalid', message, hint: /0600/ })
})
