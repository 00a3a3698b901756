/**
 * Episodes at random: files grow, are cut off and written anew; pushes, drains and recovers fail, are killed at steps and at
 * moments, run two at once, reach one target and not the other, while the server is killed and started again. A push is stopped at a
 * step or at a moment, overtaken by commands that deliver newer values, and continued after its lease has ended. After each
 * episode comes a plain push, and every target must hold what a plain model says: each record once, with its last value.
 */

import { rmSync, appendFileSync, writeFileSync, mkdtempSync } from 'node:fs'
import { setTimeout } from 'node:timers/promises'
import t from 'tap'
import { stop, TOKEN } from '../cli/fixtures/serve.js'
import { Random, SEED } from '../fixtures/random.js'
import { EPISODES } from './fixtures/extent.js'
import { ARCHIVE, serverTarget, startDatabases, unlike, type CrashTarget, type Values } from './fixtures/targets.js'
import { join } from 'node:path'
import { jsonl, size, COMMIT } from '../fixtures/records.js'
import { createHash } from 'node:crypto'
import { tmpdir } from 'node:os'
import { startCli, type Cli, type CliResult } from '../fixtures/cli.js'
import { waitUntil } from '../fixtures/wait-until.js'
import type { State } from '../../src/state/state.js'
import { LEASE_SECONDS, untilStopped } from './fixtures/pause.js'
import { leftovers, openTestState, snapshot } from './fixtures/state.js'

const FAULTS = ['fail', 'kill-before', 'kill-after', 'lose-answer']

/** About as many as the longest command makes. */
const STEPS = 60

/** As long as a command takes. */
const LIFE_MS = 500

/** How often a push is stopped and overtaken, which takes longer than the other acts because the lease must end. */
const STOPPED = 0.15

/** The longest that a command may take, which includes the time for which it is stopped. */
const LIMIT_MS = 180_000

/** Tries of the command that ends an episode: a target may be starting again. */
const TRIES = 20

class Lane {
  readonly cwd = mkdtempSync(join(tmpdir(), 'vortex-ingest-lane-'))
  readonly #commits: readonly ModelCommit[]
  readonly #state: Promise<State>
  /** The steps of the episode, printed when it fails. */
  story: string[] = []
  /** Number of pushes that were stopped while newer values were delivered. */
  overtaken = 0

  constructor(private readonly options: LaneOptions) {
    this.#commits = [0, 1].map(index => {
      return new ModelCommit(this.cwd, this.#describe(`${options.name} ${index}`), options.random)
    })
    this.#state = openTestState(join(this.cwd, 'state'))
  }

  /** @returns what does not hold at its quiet end */
  async episode(): Promise<readonly string[]> {
    const { random } = this.options
    this.story = []
    const commit = random.pick(this.#commits)
    this.#change(commit)
    if (random.chance(STOPPED)) await this.#overtake(commit)
    else await this.#disturb(commit)
    return [...(await this.#settle(commit)), ...(await this.#check([commit]))]
  }

  async #disturb(commit: ModelCommit): Promise<void> {
    const { random } = this.options
    for (let runs = random.int(1, 2); runs > 0; runs--) {
      const together = [this.#disturbed(commit)]
      if (random.chance(0.3)) together.push(this.#disturbed(commit))
      await Promise.all(together)
      if (random.chance(0.3)) random.pick(commit.files).grow()
    }
  }

  /** Stops a push, delivers newer values with other commands, and continues it. */
  async #overtake(commit: ModelCommit): Promise<void> {
    const { random, targets, isBlocked } = this.options
    const to = targets.flatMap(({ args }) => args(this.cwd))
    const failPoint = random.chance(0.6) ? `any.step#${random.int(1, STEPS)}=stop` : ''
    const afterMs = random.int(50, LIFE_MS)
    const toOne = random.pick(targets).args(this.cwd)
    const push = this.#push(commit)
    const others = random.chance(0.5)
      ? [[...push, ...to]]
      : [
          [...push, ...toOne],
          ['drain', ...to],
        ]
    const owner = this.#start([...push, ...to], { failPoint, leaseSeconds: LEASE_SECONDS })
    if (failPoint === '') {
      await Promise.race([owner.result, setTimeout(afterMs)])
      owner.child.kill('SIGSTOP')
    }
    await Promise.race([owner.result, untilStopped(owner)])
    random.pick(commit.files).grow()
    const delivered = this.#deliverAll(others)
    // A push that was stopped within its transaction holds locks, which the others wait for.
    const unblocked = new AbortController()
    const blocked = waitUntil(async () => unblocked.signal.aborted || isBlocked(), {
      pollMs: 200,
      deadlineMs: LIMIT_MS,
    })
    const first = await Promise.race([delivered, blocked.then(() => 'blocked')])
    unblocked.abort()
    await blocked
    if (first === 'done' && owner.child.exitCode === null) this.overtaken++
    owner.child.kill('SIGCONT')
    const [{ code, signal }, end] = await Promise.all([owner.result, delivered])
    const where = failPoint === '' ? `after ${afterMs} ms` : failPoint
    this.story.push(
      `push stopped ${where}, ${others.map(([name]) => name).join(' and ')} ${first}, ${end}: ${code ?? signal}`,
    )
  }

  async #deliverAll(commands: readonly (readonly string[])[]): Promise<string> {
    for (const command of commands) {
      const { code } = await this.#untilDone(command)
      if (code !== 0) return `ended with ${code}`
    }
    return 'done'
  }

  /** A push makes the targets known: from now on nothing is pruned that one of them lacks. */
  async begin(): Promise<readonly string[]> {
    const commit = `${this.#describe(`${this.options.name}, its beginning`)}.json`
    writeFileSync(join(this.cwd, 'nothing.jsonl'), '')
    const to = this.options.targets.flatMap(({ args }) => args(this.cwd))
    const push = ['push', 'nothing.jsonl', '--commit', commit, '--benchmark-id', 'lane', '--require', 'all']
    const { code, stderr } = await this.#untilDone([...push, ...to])
    return code === 0 ? [] : [`the first push ended with ${code}: ${stderr}`]
  }

  /** A drain looks after all commits. @returns what does not hold after it */
  async end(): Promise<readonly string[]> {
    const to = this.options.targets.flatMap(({ args }) => args(this.cwd))
    const { code, stderr } = await this.#untilDone(['drain', ...to])
    return code === 0 ? this.#check(this.#commits) : [`drain ended with ${code}: ${stderr}`]
  }

  /** Writes the file that says all of a commit. @returns its sha */
  #describe(what: string): string {
    const sha = createHash('sha1').update(what).digest('hex')
    const url = `https://github.com/owner/repo/commit/${sha}`
    writeFileSync(join(this.cwd, `${sha}.json`), JSON.stringify({ ...COMMIT, sha, url }))
    return sha
  }

  #change({ files }: ModelCommit): void {
    const { random } = this.options
    for (const file of files) {
      const what = random.next()
      const how = what < 0.5 ? 'grow' : what < 0.65 ? 'rewrite' : what < 0.8 ? 'truncate' : undefined
      if (how !== undefined) file[how]()
      this.story.push(`${file.path.slice(-7)}: ${how ?? 'stays'}`)
    }
  }

  /** A command that may fail, be killed, or have nobody to deliver to. */
  async #disturbed(commit: ModelCommit): Promise<void> {
    const { random, maintenance } = this.options
    const what = random.next()
    const limit = random.chance(0.5) ? ['--max-rows', String(random.int(1, 8))] : []
    const targets = random.chance(0.3) ? [random.pick(this.options.targets)] : this.options.targets
    const to = targets.flatMap(({ args }) => args(this.cwd))
    const command =
      what < 0.2 && maintenance.length > 0
        ? random.pick(maintenance)
        : what < 0.65
          ? [...this.#push(commit), ...to]
          : what < 0.9
            ? ['drain', ...limit, ...to]
            : ['recover', ...to]
    const fault = random.next()
    const failPoint = fault < 0.5 ? `any.step#${random.int(1, STEPS)}=${random.pick(FAULTS)}` : ''
    const killAfterMs = fault > 0.75 ? random.int(50, LIFE_MS) : undefined
    const { code, signal } = await this.#run(command, { failPoint, killAfterMs })
    this.story.push(
      `${command.slice(0, 2).join(' ')} ${targets.length} ${limit.join(' ')} ${failPoint} ${killAfterMs}: ${code ?? signal}`,
    )
  }

  #push({ sha, files }: ModelCommit): readonly string[] {
    const paths = files.map(({ path }) => path)
    return ['push', ...paths, '--commit', `${sha}.json`, '--benchmark-id', 'lane', '--require', 'all']
  }

  #start(command: readonly string[], { failPoint = '', leaseSeconds = 30 }: StartOptions = {}): Cli {
    const env = {
      INGEST_BEARER_TOKEN: TOKEN,
      VORTEX_INGEST_TEST_FAIL_POINT: failPoint,
      VORTEX_INGEST_STATE_LEASE: String(leaseSeconds),
    }
    const deadline = command[0] === 'state' ? [] : ['--retry-deadline', '5']
    return startCli([...command, '--state', 'state', ...deadline], { cwd: this.cwd, env, timeoutMs: LIMIT_MS })
  }

  async #run(
    command: readonly string[],
    { killAfterMs, ...options }: StartOptions & { readonly killAfterMs?: number | undefined } = {},
  ): Promise<CliResult> {
    const cli = this.#start(command, options)
    if (killAfterMs !== undefined) {
      await Promise.race([cli.result, setTimeout(killAfterMs)])
      cli.child.kill('SIGKILL')
    }
    return cli.result
  }

  /** A plain push takes what is new, delivers all of its commit and heals the others. */
  async #settle(commit: ModelCommit): Promise<readonly string[]> {
    const to = this.options.targets.flatMap(({ args }) => args(this.cwd))
    const drains = this.options.random.chance(0.3)
    for (const command of [...(drains ? [['drain']] : []), this.#push(commit)]) {
      const ended = await this.#untilDone([...command, ...to])
      if (ended.code !== 0) return [`${command[0]} ended with ${ended.code}: ${ended.stderr}`]
    }
    return []
  }

  async #untilDone(command: readonly string[]): Promise<CliResult> {
    for (let tries = 1; ; tries++) {
      const ended = await this.#run(command)
      if (![69, 75].includes(ended.code ?? 0) || tries === TRIES) return ended
    }
  }

  /** @param settled commits of which nothing may be left over; of others it is the values that count */
  async #check(settled: readonly ModelCommit[]): Promise<readonly string[]> {
    const problems: string[] = []
    const set = { name: this.options.name, targets: this.options.targets }
    for (const commit of this.#commits) {
      const { sha, values } = commit
      const found = await snapshot(await this.#state, sha)
      // The state holds nothing of a commit before its first push.
      if (found.head.next === 1) continue
      problems.push(...(await unlike({ set, sha, cwd: this.cwd }, values, sha.slice(0, 8))))
      if (settled.includes(commit)) problems.push(...leftovers(found, sha))
    }
    return problems
  }
}

/** One file of a commit; no other file has its data sets, so that the order of files does not matter. */
class ModelFile {
  #lines: Line[] = []
  readonly #values = new Map<string, string>()
  #lastValue = 0

  constructor(
    readonly path: string,
    private readonly sha: string,
    private readonly random: Random,
  ) {
    writeFileSync(path, '')
  }

  /** The values of all lines that were ever in the file. Later lines overwrite earlier ones. */
  get values(): Values {
    return this.#values
  }

  grow(): void {
    const more = this.#some()
    this.#lines.push(...more)
    appendFileSync(this.path, this.#text(more))
    this.#remember(more)
  }

  rewrite(): void {
    this.#replace(this.#some())
  }

  /** Cuts the file. The remaining lines count as written again. */
  truncate(): void {
    if (this.#lines.length > 0) this.#replace(this.#lines.slice(0, this.random.int(0, this.#lines.length - 1)))
  }

  #replace(lines: Line[]): void {
    this.#lines = lines
    writeFileSync(this.path, this.#text(lines))
    this.#remember(lines)
  }

  /** No value comes twice, so that an old one is told from a new one. */
  #some(): Line[] {
    const dataset = (): string => `${this.path.slice(-7)} ${this.random.int(0, 12)}`
    return Array.from({ length: this.random.int(1, 6) }, () => [dataset(), ++this.#lastValue] as const)
  }

  #text(lines: readonly Line[]): string {
    return jsonl(
      lines.map(([dataset, value]) =>
        size({ commit_sha: this.sha, dataset, value_bytes: value, uncompressed_bytes: 9 }),
      ),
    )
  }

  #remember(lines: readonly Line[]): void {
    for (const [dataset, value] of lines) this.#values.set(dataset, String(value))
  }
}

/** A commit and its files. */
class ModelCommit {
  readonly files: readonly ModelFile[]

  constructor(
    cwd: string,
    readonly sha: string,
    random: Random,
  ) {
    this.files = [0, 1].map(index => new ModelFile(join(cwd, `${sha.slice(0, 8)}-${index}.jsonl`), sha, random))
  }

  get values(): Values {
    return new Map(this.files.flatMap(({ values }) => [...values]))
  }
}

const LANES = 4
/** Between two deaths of the server, and how long it is dead. */
const SERVER_LIFE_MS = 8_000
const SERVER_DEATH_MS = 300
const READS = 50

t.setTimeout(900_000)
const { postgres, serve, sql } = await startDatabases(t)
const server = { running: await serve(0), isOver: false }
const { url, port } = server.running

async function killNowAndThen(): Promise<number> {
  for (let deaths = 0; ; deaths++) {
    for (let waited = 0; waited < SERVER_LIFE_MS && !server.isOver; waited += 100) await setTimeout(100)
    if (server.isOver) return deaths
    await stop(server.running, 'SIGKILL')
    await setTimeout(SERVER_DEATH_MS)
    server.running = await serve(port)
  }
}

/** Reads what may be dead at the moment. */
function patient(target: CrashTarget): CrashTarget {
  return {
    ...target,
    read: async (sha, cwd) => {
      for (let tries = 1; ; tries++) {
        try {
          return await target.read(sha, cwd)
        } catch (error) {
          if (tries === READS) throw error
          await setTimeout(200)
        }
      }
    },
  }
}

/** Whether a session waits for one that has done nothing for longer than any running program needs. */
async function isBlocked(): Promise<boolean> {
  const waiting = await sql(`SELECT FROM pg_stat_activity AS waiting
    JOIN pg_stat_activity AS holder ON holder.pid = ANY (pg_blocking_pids(waiting.pid))
    WHERE holder.state = 'idle in transaction' AND holder.state_change < clock_timestamp() - interval '2 s'`)
  return waiting.length > 0
}

/** Commands that clean up a state. */
const MAINTENANCE = [
  ['state', 'prune'],
  ['state', 'compact'],
]

t.test(`${EPISODES} episodes; TEST_SEED=${SEED} repeats them`, async t => {
  const options = { targets: [patient(serverTarget(url)), postgres, ARCHIVE], maintenance: MAINTENANCE, isBlocked }
  const deaths = killNowAndThen()
  const lanes = Array.from(
    { length: LANES },
    (_, index) => new Lane({ ...options, name: `lane ${index}`, random: new Random(SEED + index) }),
  )
  await Promise.all(
    lanes.map(async (lane, index) => {
      t.strictSame(await lane.begin(), [], `lane ${index}`)
      for (let episode = index; episode < EPISODES; episode += LANES) {
        const problems = await lane.episode()
        t.strictSame(problems, [], `episode ${episode}${problems.length === 0 ? '' : `: ${lane.story.join('; ')}`}`)
        // Later episodes would fail for the same reason.
        if (problems.length > 0) return
      }
      t.strictSame(await lane.end(), [], `${LANES} lanes, number ${index}, at its end`)
      rmSync(lane.cwd, { recursive: true, force: true })
    }),
  )
  server.isOver = true
  const overtaken = lanes.reduce((sum, lane) => sum + lane.overtaken, 0)
  t.ok(overtaken > 0, `${overtaken} pushes were overtaken while they were stopped`)
  t.comment(
    `the server was killed ${await deaths} times; tidied up with: ${options.maintenance.join(', ') || 'nothing'}`,
  )
})

type Line = readonly [dataset: string, value: number]

type LaneOptions = {
  readonly name: string
  readonly random: Random
  readonly targets: readonly CrashTarget[]
  /** Commands that tidy a state up, without `--state`. */
  readonly maintenance: readonly (readonly string[])[]
  /** Whether a delivery waits for a lock of a process that does not run. */
  readonly isBlocked: () => Promise<boolean>
}

type StartOptions = { readonly failPoint?: string; readonly leaseSeconds?: number }
