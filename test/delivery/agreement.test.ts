/** `validate` accepts a file if, and only if, `push` accepts it. Both are the real ones; a push here is a dry run. */

import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import t from 'tap'
import { IngestError, openState, push, server, validate, type PushOptions, type Rejection } from '../../src/index.js'
import { runCli } from '../fixtures/cli.js'
import { Random, SEED } from '../fixtures/random.js'
import { COMMIT, SHA, lineOf, tokensOfAnyVersion, writeCommit, type Tokens } from '../fixtures/records.js'

const OTHER = 'f'.repeat(40)
const SHAS = [OTHER, SHA.slice(0, 7), `${SHA}0`, SHA.toUpperCase(), '', 'HEAD', `${SHA.slice(0, -1)}\\u0037`]
const ODD_TOKENS = ['null', '1.0', '1e3', '-0', '-1', '9223372036854775808', '"gcs"', '"\\u0000"', '[]', '[1.5]', '{}']

type Case = {
  readonly files: readonly string[]
  readonly options: Pick<PushOptions, 'commitSha' | 'contractVersion' | 'requireRecords'>
}

/** About half of the cases are as emitters write them. The others have one change in one line, or in a whole file. */
function randomCase(random: Random): Case {
  const contents = Array.from({ length: random.int(1, 3) }, () => randomLines(random))
  if (random.chance(0.5)) {
    const changed = random.int(0, contents.length - 1)
    contents[changed] = changedLines(contents[changed]!, random)
  }
  return {
    files: contents.map(lines => lines.join(random.pick(['\n', '\r\n', '\n\n']))),
    options: {
      ...(random.chance(0.2) && { commitSha: random.pick([SHA, SHA, OTHER]) }),
      ...(random.chance(0.2) && { contractVersion: random.int(1, 3) }),
      requireRecords: random.chance(0.2),
    },
  }
}

function randomLines(random: Random): string[] {
  const version = random.int(1, 3)
  const known = { 1: ['uncompressed_bytes', 'open_mode'], 2: ['open_mode'], 3: [] }[version] ?? []
  return Array.from({ length: random.int(0, 5) }, () => {
    const { kind, tokens } = tokensOfAnyVersion(random)
    const all = { open_mode: kind === 'random_access_time' ? '"cached"' : undefined, ...tokens }
    if (kind === 'compression_size') Object.assign(all, { uncompressed_bytes: '1' })
    return lineOf({ kind: `"${kind}"`, ...all, ...Object.fromEntries(known.map(name => [name, undefined])) })
  })
}

function changedLines(lines: readonly string[], random: Random): string[] {
  const at = random.int(0, Math.max(0, lines.length - 1))
  const change = random.pick<(line: string) => string>([
    line => line.replace(SHA, random.pick(SHAS)),
    line => line.replace(/(:)(-?\d+|"[^"]*"|\[[^\]]*\]|null)(?=[,}])/, `$1${random.pick(ODD_TOKENS)}`),
    line => changedField(line, random),
    line => line.slice(0, random.int(0, line.length)),
    line => `${random.pick(['\ufeff', '[', ' ', '\t', '{'])}${line}`,
    line => `${line}${random.pick([',', '}', 'x', '\0'])}`,
  ])
  if (random.chance(0.15)) return lines.map(line => line.replace(SHA, random.pick(SHAS.slice(0, 1 + random.int(0, 5)))))
  if (random.chance(0.1)) return [`[${lines.join(',\n')}]`]
  return lines.map((line, index) => (index === at ? change(line) : line))
}

function changedField(line: string, random: Random): string {
  const fields = JSON.parse(line) as Record<string, unknown>
  const tokens: Tokens = Object.fromEntries(
    Object.entries(fields).map(([name, value]) => [name, JSON.stringify(value)]),
  )
  const name = random.pick(Object.keys(tokens))
  return lineOf({
    ...tokens,
    [name]: random.pick([undefined, ...ODD_TOKENS]),
    ...(random.chance(0.2) && { extra: '1' }),
  })
}

/** The code of the error that was thrown, or the rejected lines. */
type Answer = { readonly error?: string; readonly rejected?: number; readonly rejections?: readonly Rejection[] }

async function answerOf(work: () => Promise<Required<Omit<Answer, 'error'>>>): Promise<Answer> {
  try {
    const { rejected, rejections } = await work()
    return { rejected, rejections: rejections.slice(0, 20) }
  } catch (error) {
    if (error instanceof IngestError) return { error: `${error.code}: ${error.message}` }
    throw error
  }
}

function pushDry(files: readonly string[], options: Partial<PushOptions>): Promise<Answer> {
  return answerOf(async () => {
    const commit = async (sha: string | undefined): Promise<typeof COMMIT> => ({ ...COMMIT, sha: sha ?? SHA })
    const targets = [server('http://127.0.0.1:9', { token: 'unused' })]
    const { notes } = await push(files, { ...options, commit, targets, dryRun: true })
    return notes
  })
}

const isAccepted = ({ error, rejected }: Answer): boolean => error === undefined && rejected === 0

t.test(`validate and push agree on random files, line by line (seed ${SEED})`, async t => {
  const dir = t.testdir()
  const random = new Random()
  let accepted = 0
  const CASES = 600
  for (let index = 0; index < CASES; index++) {
    const { files: contents, options } = randomCase(random)
    const files = contents.map((_, at) => join(dir, `${at}.jsonl`))
    for (const [at, content] of contents.entries()) writeFileSync(files[at]!, content)
    const validated = await answerOf(() => validate(files, options))
    const what = `case ${index} of seed ${SEED}: ${JSON.stringify({ contents, options })}`
    const pushed = await pushDry(files, options)
    const enqueued = await pushDry(files, { ...options, state: await openState('memory:') })
    if (JSON.stringify(pushed) !== JSON.stringify(validated)) t.strictSame(pushed, validated, `push: ${what}`)
    if (isAccepted(enqueued) !== isAccepted(validated)) t.strictSame(enqueued, validated, `push with a state: ${what}`)
    if (isAccepted(validated)) accepted++
  }
  t.ok(accepted > CASES / 5 && accepted < (CASES * 4) / 5, `${accepted} of ${CASES} were accepted`)
})

t.test(`the programs agree too, in exit code and rejections (seed ${SEED})`, async t => {
  const cwd = t.testdir()
  const random = new Random(SEED + 1)
  for (let index = 0; index < 8; index++) {
    const { files: contents } = randomCase(random)
    const files = contents.map((_, at) => `${at}.jsonl`)
    for (const [at, content] of contents.entries()) writeFileSync(join(cwd, files[at]!), content)
    const validated = await runCli(['validate', ...files, '--format', 'json'], { cwd })
    const sha = /"commit_sha":"([0-9a-f]{40})"/.exec(contents.join('\n'))?.[1] ?? SHA
    const commit = writeCommit(cwd, { ...COMMIT, sha })
    const pushed = await runCli(['push', ...files, '--dry-run', '--format', 'json', '--commit', commit], { cwd })
    const what = `case ${index}`
    t.equal(pushed.code, validated.code, `${what}, exit code`)
    const [one, other] = [validated, pushed].map(({ stdout }) => JSON.parse(stdout) as Answer)
    t.strictSame([other!.error, other!.rejections], [one!.error, one!.rejections], `${what}, rejections`)
  }
})
