import { join } from 'node:path'
import t, { type Test } from 'tap'
import { readCommitFile } from '../../src/commit/commit-file.js'
import { IngestError } from '../../src/errors.js'

const COMMIT = {
  sha: '2b1a004c0ffee00000000000000000000000abcd',
  timestamp: '2026-01-31T12:00:00+05:30',
  message: 'say "hi"\n\nbody',
  author_name: 'Zoë Żółć 李',
  author_email: 'zoe@example.org',
  committer_name: '',
  committer_email: 'bot@example.org',
  tree_sha: '4b825dc642cb6eb9a060e54bf8d69288fbee4904',
  url: 'https://github.com/owner/repo/commit/2b1a004c0ffee00000000000000000000000abcd',
}

function fileOf(t: Test, content: string | Buffer): string {
  return join(t.testdir({ 'commit.json': content }), 'commit.json')
}

async function problemOf(t: Test, content: string | Buffer): Promise<string> {
  const path = fileOf(t, content)
  return messageOf(path, `commit file ${path}: `)
}

async function messageOf(path: string, prefix: string): Promise<string> {
  try {
    await readCommitFile(path)
  } catch (error) {
    if (!(error instanceof IngestError) || error.code !== 'config_invalid' || !error.hint) throw error
    if (!error.message.startsWith(prefix) || /[\n\r]/.test(error.message)) throw error
    return error.message.slice(prefix.length)
  }
  throw new Error('no failure')
}

t.test('the nine fields of a commit, alone, under "commit" or in a whole envelope, are the commit', async t => {
  const shapes = [COMMIT, { commit: COMMIT }, { run_meta: {}, commit: COMMIT, records: [] }]
  for (const shape of shapes) t.strictSame(await readCommitFile(fileOf(t, JSON.stringify(shape))), COMMIT)
  t.strictSame(await readCommitFile(fileOf(t, `\uFEFF${JSON.stringify(COMMIT)}\r\n`)), COMMIT, 'with a byte order mark')
})

t.test('every field is required', async t => {
  for (const field of Object.keys(COMMIT)) {
    const others = { ...COMMIT, [field]: undefined }
    t.equal(await problemOf(t, JSON.stringify(others)), `/${field} is missing`)
    t.equal(await problemOf(t, JSON.stringify({ commit: others })), `/commit/${field} is missing`)
  }
})

t.test('every field is a string', async t => {
  for (const field of Object.keys(COMMIT)) {
    t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, [field]: null })), `/${field} must be a string, got null`)
  }
  t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, url: [1] })), '/url must be a string, got array')
  t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, sha: 5 })), '/sha must be a string, got number')
})

t.test('an unknown field is named, at every level', async t => {
  const inherited = JSON.stringify(COMMIT).replace('{', '{"__proto__": {"sha": "x"}, ')
  t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, parent: 'x' })), '"/parent" is not a known field')
  t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, 'a/\n': '' })), '"/a~1\\n" is not a known field')
  t.equal(await problemOf(t, inherited), '"/__proto__" is not a known field')
  t.equal(await problemOf(t, JSON.stringify({ commit: { ...COMMIT, x: 1 } })), '"/commit/x" is not a known field')
  t.equal(await problemOf(t, JSON.stringify({ commit: COMMIT, extra: 1 })), '"/extra" is not a known field')
  t.equal(await problemOf(t, '{"commit": [], "records": []}'), '/commit must be an object, got array')
})

t.test('a misspelt field is reported as unknown and as missing', async t => {
  const { author_name, ...rest } = COMMIT
  t.equal(
    await problemOf(t, JSON.stringify({ ...rest, autor_name: author_name })),
    '"/autor_name" is not a known field; /author_name is missing',
  )
})

t.test('many problems are reported in one line', async t => {
  t.equal(await problemOf(t, '{}'), '/sha is missing; /timestamp is missing; /message is missing; and 6 more')
})

t.test('a sha is 40 lowercase hex digits and a timestamp is RFC 3339', async t => {
  const sha = COMMIT.sha.toUpperCase()
  t.equal(await problemOf(t, JSON.stringify({ ...COMMIT, sha })), `/sha must be 40 lowercase hex digits, got "${sha}"`)
  t.equal(
    await problemOf(t, JSON.stringify({ ...COMMIT, timestamp: '2026-02-30T00:00:00Z' })),
    '/timestamp must be an RFC 3339 time from 1970 to 2099, like 2026-01-31T12:00:00+00:00, got "2026-02-30T00:00:00Z"',
  )
})

t.test('text that Postgres or UTF-8 cannot store is rejected', async t => {
  for (const message of ['a\0b', 'a\uD800b', '\uDC00']) {
    t.equal(
      await problemOf(t, JSON.stringify({ ...COMMIT, message })),
      '/message must not contain a NUL or a lone surrogate',
      JSON.stringify(message),
    )
  }
  t.match(await readCommitFile(fileOf(t, JSON.stringify({ ...COMMIT, message: '🚀' }))), { message: '🚀' })
})

t.test('a file that is not a JSON object is rejected', async t => {
  t.match(await problemOf(t, ''), /^is not JSON: /)
  t.match(await problemOf(t, '{\n"sha": nope\n}'), /^is not JSON: /)
  t.match(await problemOf(t, `${JSON.stringify(COMMIT)}\n{}`), /^is not JSON: /)
  t.equal(await problemOf(t, Buffer.from('{"sha": "\xe9"}', 'latin1')), 'is not JSON: not UTF-8')
  t.equal(await problemOf(t, '[]'), 'must be a JSON object, got array')
  t.equal(await problemOf(t, 'null'), 'must be a JSON object, got null')
})

t.test('a file that cannot be read says why', async t => {
  const dir = t.testdir({ inside: {} })
  const missing = join(dir, 'missing.json')
  const inside = join(dir, 'inside')

  t.equal(await messageOf(missing, `cannot read the commit file ${missing}: `), 'no such file')
  t.equal(await messageOf(inside, `cannot read the commit file ${inside}: `), 'it is a directory')
})
