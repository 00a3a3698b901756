/** Where the token comes from, and that nobody gets to see it. */

import t from 'tap'
import { runCli, type CliResult } from '../fixtures/cli.js'
import { applied, json, startAnswering } from '../fixtures/http-server.js'
import { TOKEN, writeFile } from './fixtures/pushing.js'
import { jsonl, query, writeCommit } from '../fixtures/records.js'

const dir = t.testdir({
  'f.jsonl': jsonl([query()]),
  token: `${TOKEN}\n`,
  crlf: ` ${TOKEN}\r\n`,
  empty: '\n',
  lines: 'a\nb',
})

function push(args: readonly string[], env: Readonly<Record<string, string>> = {}): Promise<CliResult> {
  const all = ['push', 'f.jsonl', '--commit', writeCommit(dir), '--benchmark-id', 'b', '--retries', '0', ...args]
  return runCli(all, { cwd: dir, env })
}

t.test(
  'the token comes from INGEST_BEARER_TOKEN, another variable or a file, without surrounding whitespace',
  async t => {
    const server = await startAnswering(t, applied)
    for (const [args, env] of [
      [[], { INGEST_BEARER_TOKEN: TOKEN }],
      [[], { INGEST_BEARER_TOKEN: `${TOKEN}\n` }],
      [['--token-env', 'MINE'], { MINE: TOKEN, INGEST_BEARER_TOKEN: 'another' }],
      [['--token-file', 'token'], { INGEST_BEARER_TOKEN: 'another' }],
      [['--token-file', 'crlf'], {}],
      [[], { VORTEX_INGEST_TOKEN_FILE: 'token' }],
      [[], { VORTEX_INGEST_TOKEN_ENV: 'MINE', MINE: TOKEN }],
    ] as const) {
      const { code, stderr } = await push(['--server', server.url, ...args], env)
      t.equal(code, 0, stderr)
      t.equal(server.asked.at(-1)?.headers.authorization, `Bearer ${TOKEN}`)
    }
  },
)

t.test('without one nothing is sent to another machine', async t => {
  for (const [args, env, says] of [
    [[], {}, /no token for https:\/\/ingest\.invalid\nhint: set INGEST_BEARER_TOKEN/],
    [[], { INGEST_BEARER_TOKEN: ' ' }, /no token for/],
    [['--token-env', 'MINE'], { INGEST_BEARER_TOKEN: TOKEN }, /no token in MINE/],
    [['--token-file', 'empty'], { INGEST_BEARER_TOKEN: TOKEN }, /no token in empty/],
    [['--token-file', 'missing'], { INGEST_BEARER_TOKEN: TOKEN }, /cannot read the token: .*missing/],
    [['--token-file', 'lines'], {}, /the token in lines holds characters/],
    [[], { INGEST_BEARER_TOKEN: `${TOKEN}ü` }, /the token in INGEST_BEARER_TOKEN holds characters/],
  ] as const) {
    const { code, stdout, stderr } = await push(['--server', 'https://ingest.invalid', ...args], env)
    t.equal(code, 77, stderr)
    t.match(stderr, says)
    t.notMatch(stdout + stderr, TOKEN)
  }
})

t.test('a token in the place of the name of its variable is not repeated', async t => {
  const { code, stdout, stderr } = await push(['--server', 'https://ingest.invalid', '--token-env', TOKEN])
  t.equal(code, 77, stderr)
  t.match(stderr, /no token in the variable that --token-env names\nhint: .*not the token/)
  t.notMatch(stdout + stderr, TOKEN)
})

t.test('a server on this machine may have none, and then none is sent', async t => {
  const server = await startAnswering(t, applied)
  const { code } = await push(['--server', server.url])
  t.equal(code, 0)
  t.equal(server.asked[0]?.headers.authorization, undefined)
})

t.test('two places are one too many', async t => {
  const { code, stderr } = await push([
    '--server',
    'https://ingest.invalid',
    '--token-env',
    'A',
    '--token-file',
    'token',
  ])
  t.equal(code, 2)
  t.match(stderr, /--token-env and --token-file/)
})

t.test('a user or password in --server is refused, and shown nowhere', async t => {
  for (const url of [
    `https://u:${TOKEN}@ingest.invalid`,
    `https://${TOKEN}@ingest.invalid`,
    `https://h/?token=${TOKEN}`,
  ])
    for (const format of ['human', 'json'])
      for (const [args, env] of [
        [['--server', url], {}],
        [[], { VORTEX_INGEST_SERVER: url }],
      ] as const) {
        const { code, stdout, stderr } = await push([...args, '--format', format], { INGEST_BEARER_TOKEN: 'x', ...env })
        t.equal(code, 2, stderr)
        t.notMatch(stdout + stderr, TOKEN)
      }
})

t.test('a token on its way in the clear to another machine is warned of', async t => {
  const { stderr } = await push(['--server', 'http://ingest.invalid'], { INGEST_BEARER_TOKEN: TOKEN })
  t.match(stderr, /warning: the token and the records go unencrypted to http:\/\/ingest\.invalid/)
  const server = await startAnswering(t, applied)
  t.equal((await push(['--server', server.url], { INGEST_BEARER_TOKEN: TOKEN })).stderr, '')
})

t.test('the token is in no output, whatever the result of the push', async t => {
  writeFile(dir, 'bad.jsonl', '{}\n')
  const env = { INGEST_BEARER_TOKEN: TOKEN, DEBUG: '*', NODE_DEBUG: '' }
  for (const answer of [applied, json(401, {}), json(503, {}), json(400, {}), json(200, {})])
    for (const format of ['human', 'json']) {
      const server = await startAnswering(t, answer)
      for (const more of [[], ['bad.jsonl'], ['--dry-run'], ['--timeout', 'x'], ['--token-file', 'nowhere']]) {
        const { stdout, stderr } = await push(['--server', server.url, '--format', format, ...more], env)
        t.notMatch(stdout + stderr, TOKEN)
      }
    }
})
