import { readFile } from 'node:fs/promises'
import t from 'tap'
import { EXIT } from '../../src/errors.js'
import { generatedDocs } from '../../scripts/docs.js'

const ROOT = new URL('../../', import.meta.url)
const read = (name: string): Promise<string> => readFile(new URL(name, ROOT), 'utf8')

t.test('the command reference and the README agree with the program', async t => {
  for (const [name, text] of await generatedDocs(ROOT)) t.equal(await read(name), text, `${name} (npm run docs)`)
})

t.test('the README names every exit code, and the help too', async t => {
  const [readme, reference] = await Promise.all([read('README.md'), read('docs/commands.md')])
  for (const code of Object.values(EXIT).filter(code => code !== EXIT.terminated)) {
    t.match(readme, new RegExp(`^\\| ${code} +\\|`, 'm'), `README: ${code}`)
    t.match(reference, new RegExp(`(^|\\s)${code} [a-z]`), `help: ${code}`)
  }
})

t.test("CI runs exactly the README's test command", async t => {
  const [readme, ci] = await Promise.all([read('README.md'), read('.ci/run')])
  t.match(readme, /^npm ci && npm test$/m)
  t.match(ci, /npm test$/m)
})

t.test('the changelog has the version of the package', async t => {
  const { version } = JSON.parse(await read('package.json')) as { version: string }
  t.match(await read('CHANGELOG.md'), new RegExp(`^## ${version.replaceAll('.', '\\.')}`, 'm'))
})

t.test('every command is in the changelog', async t => {
  const [changelog, readme] = await Promise.all([read('CHANGELOG.md'), read('README.md')])
  for (const [, command = ''] of readme.matchAll(/^\| `([a-z-]+)` +\| /gm))
    t.match(changelog, new RegExp(`\`${command}\``), command)
})
