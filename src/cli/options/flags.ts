/** Flags that several commands share. Each can also be set by an environment variable. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import { CONTRACT_CHOICES } from '../../config/contract.js'
import { ENV_PREFIX } from '../../config/environment.js'
import { isFullSha } from '../../contract/commit.js'
import type { CompressMode } from '../../config/server.js'
import { CONTRACTS, SCHEMA_VERSION } from '../../contract/kinds.js'
import { nearest } from './nearest.js'

/** @param flags in the syntax of commander, such as `--commit-sha <sha>` */
export function flag(flags: string, description: string): Option {
  const option = new Flag(flags, description)
  return option.env(ENV_PREFIX + option.name().replace(/-/g, '_').toUpperCase())
}

/** An option whose error message for an unknown choice suggests the most similar choice. */
class Flag extends Option {
  override choices(values: readonly string[]): this {
    super.choices(values)
    this.argParser((text: string) => {
      if (values.includes(text)) return text
      const close = nearest(text, values)
      const meant = close === undefined ? '' : ` (Did you mean ${close}?)`
      throw new InvalidArgumentError(`Allowed choices are ${values.join(', ')}.${meant}`)
    })
    return this
  }
}

export const formatFlag = (): Option =>
  flag('--format <format>', 'how to print the result').choices(['human', 'json']).default('human')

export const validateFormatFlag = (): Option =>
  flag('--format <format>', 'how to print the result; sarif and junit are for CI services')
    .choices(['human', 'json', 'sarif', 'junit'])
    .default('human')

export const contractFlag = (): Option =>
  flag('--contract <version>', 'contract version of the files; auto finds the version of each file')
    .choices(CONTRACT_CHOICES)
    .default('auto')

export const noSecretsFlag = (): Option =>
  flag(
    '--no-secrets <how>',
    'result of a CI run without secrets, such as a pull request of a fork: fail (77) or skip (0)',
  )
    .choices(['skip', 'fail'])
    .default('fail')

export const reportFlag = (): Option => flag('--report <file>', 'also write the JSON report to this file')

export const regionFlag = (): Option =>
  flag('--region <region>', 'AWS region of the RDS token (default: from AWS_REGION, the AWS profile or the host name)')

export const targetFlags = (): readonly Option[] => [
  flag(
    '--postgres <dsn>',
    'Postgres database, as a URL or libpq keyword string; PG* variables supply missing parts (TLS verify-full)',
  ),
  flag(
    '--insecure-local',
    'allow a connection without TLS, and any role; only for trying out a Postgres on this machine',
  ),
  regionFlag(),
  flag('--embedded [dir]', 'the embedded database in this folder (default: .vortex-ingest)'),
]

export const rolePolicyFlag = (): Option =>
  flag('--role-policy <policy>', 'which Postgres role may write (default: bench_ingest)').choices([
    'bench_ingest',
    'any',
  ])

export const serverContractFlag = (): Option =>
  flag('--contract <n>', 'contract version of the server: the envelopes it accepts and the answers it gives')
    .choices([...CONTRACTS.keys()].map(String))
    .default(String(SCHEMA_VERSION))

export const serverFlag = (): Option =>
  flag('--server <url>', 'ingest service (path A), such as https://ingest.example.com')

export const timeoutFlag = (): Option =>
  flag('--timeout <seconds>', 'idle timeout for responses (default: 120)').argParser(duration)

export const serverFlags = (): readonly Option[] => [
  serverFlag(),
  flag('--token-env <name>', 'environment variable that holds the token of the server (default: INGEST_BEARER_TOKEN)'),
  flag('--token-file <file>', 'file that holds the token of the server'),
  flag(
    '--max-envelope-bytes <n>',
    'split a larger file into several envelopes, each committed separately (default: 60 MiB)',
  ).argParser(positive),
  timeoutFlag(),
  flag('--retries <n>', 'maximum number of retries per request (default: 8)').argParser(natural),
  flag('--retry-deadline <seconds>', 'time limit for retries (default: 120 for a server, 60 for Postgres)').argParser(
    duration,
  ),
  compressFlag(),
]

const COMPRESS_MODES = ['always', 'auto', 'never'] as const
/** In earlier versions `--compress` took no value and its environment variable was a switch, so these words still work. */
const SWITCH_WORDS: Readonly<Record<string, CompressMode>> = {
  ...{ 1: 'always', true: 'always', yes: 'always', on: 'always' },
  ...{ 0: 'never', false: 'never', no: 'never', off: 'never' },
}

/** The `--compress` flag. Without a value it means `always`. */
const compressFlag = (): Option => {
  const option = flag(
    '--compress [when]',
    'compress requests with gzip; auto sends uncompressed requests to a server that refuses gzip',
  )
  return option.choices(COMPRESS_MODES).preset('always').argParser(compressMode)
}

function compressMode(text: string): CompressMode {
  const mode = COMPRESS_MODES.find(one => one === text) ?? SWITCH_WORDS[text.trim().toLowerCase()]
  if (mode !== undefined) return mode
  throw new InvalidArgumentError(`Allowed choices are ${COMPRESS_MODES.join(', ')}.`)
}

/** Write settings of a database. `tune` finds better values for them. */
export const writeSettingFlags = (): readonly Option[] => [
  flag('--copy-bytes <size>', 'size of the rows that one COPY sends to a database (default: 4MiB)').argParser(
    byteCount,
  ),
  flag('--small-rows <n>', 'maximum number of records to write without staging tables (default: 5000)').argParser(
    natural,
  ),
  flag('--work-mem-mib <n>', 'memory that a database may use for sorting, in MiB (default: 64)').argParser(positive),
]

export const explainFlag = (): Option =>
  flag('--explain', 'also print the write settings that were used and the origin of each')

export const stateFlag = (): Option =>
  flag('--state <place>', 'state that tracks queued and delivered records: a folder or s3://bucket/prefix')

export const archiveFlag = (): Option =>
  flag(
    '--archive <place>',
    'with --state: also store the original lines, by table and commit, in a folder or s3://bucket/prefix',
  )

export const targetNameFlag = (): Option =>
  flag('--target <name>', 'with --state: use only this registered target; may be repeated').argParser(
    (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
  )

export const requireFlag = (): Option =>
  flag('--require <target>', 'targets whose failure fails the push (default: server, otherwise the database)').choices([
    'all',
    'any',
    'server',
    'postgres',
    'embedded',
    'archive',
  ])

export const downgradeFlag = (): Option =>
  flag(
    '--downgrade',
    'omit and report data that a target of an older contract version cannot store; otherwise such a target is refused',
  )

export const outcomeFlags = (): readonly Option[] => [
  requireFlag(),
  flag('--allow-failure', 'exit 0 even if a required target is down (69, or 75 with --state); bad data still fails'),
  flag('--no-revalidate', 'do not notify the site at BENCH_SITE_BASE_URL about new rows in Postgres'),
  flag('--no-warm', 'notify the site, but do not warm up its pages'),
  flag('--no-compare', "omit the comparison with the previous commit from the run's summary (GitHub Actions)"),
]

export const commitShaFlag = (): Option =>
  flag('--commit-sha <sha>', 'full id of the commit that every record must name').argParser(fullSha)

export const commitFlags = (): readonly Option[] => [
  commitShaFlag(),
  flag('--commit <file>', 'JSON file with the fields of the commit, used instead of git'),
  flag('--benchmark-id <id>', 'id of the benchmark that ran (default: detected in CI)'),
  flag('--repo-url <url>', 'URL of the repository (default: from CI or the remote named origin)'),
  flag('--git-dir <dir>', 'git repository that has the commit (default: found by git)'),
]

export function addOptions(command: Command, options: readonly Option[]): void {
  for (const option of options) command.addOption(option)
}

/** Parses a full commit id. Branch names and abbreviated ids are refused, because no record could match them. */
function fullSha(text: string): string {
  if (isFullSha(text)) return text
  throw new InvalidArgumentError('It must be 40 lowercase hex digits, as `git rev-parse COMMIT` prints them.')
}

/** Parses an integer of at least 0. */
export function natural(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number from 0.')
  return value
}

const MAX_SECONDS = 1_000_000

/** Parses a positive number of seconds. The maximum is below the limit of timers. */
export function duration(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > MAX_SECONDS)
    throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${MAX_SECONDS}.`)
  return value
}

const AGE_UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Parses an age such as `90m`, `12h` or `30d` into milliseconds. */
export function age(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const unitMs = AGE_UNITS[unit]
  if (unitMs === undefined) throw new InvalidArgumentError('it must be an age such as 30d, 12h or 90m.')
  return Number(digits) * unitMs
}

/** Parses an integer of at least 1. */
export function positive(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }

/** Parses a size such as `1000`, `64KiB`, `64MiB` or `1GiB` into bytes. */
export function byteCount(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,15}) ?([a-z]*)$/i.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN)
  if (digits === '' || !(bytes >= 1)) throw new InvalidArgumentError('It must be a size such as 64MiB.')
  return bytes
}
