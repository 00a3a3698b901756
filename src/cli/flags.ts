/** Flags that several commands share; each can be set by an environment variable too. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import { CONTRACT_CHOICES } from '../config/contract.js'
import { ENV_PREFIX } from '../config/environment.js'
import { isFullSha } from '../commit/full-sha.js'
import type { CompressMode } from '../config/server.js'
import { CONTRACTS, SCHEMA_VERSION } from '../contract/kinds.js'
import { nearest } from './nearest.js'

/** @param flags as commander writes them: `--commit-sha <sha>` */
export function flag(flags: string, description: string): Option {
  const option = new Flag(flags, description)
  return option.env(ENV_PREFIX + option.name().replace(/-/g, '_').toUpperCase())
}

/** Of its choices it names the one that was meant. */
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
  flag('--no-secrets <how>', 'how a CI run ends that was given none, as those of forks: fail (77) or skip (0)')
    .choices(['skip', 'fail'])
    .default('fail')

export const reportFlag = (): Option => flag('--report <file>', 'also write the JSON report to this file')

export const regionFlag = (): Option =>
  flag(
    '--region <region>',
    'the AWS region to make an RDS token for; by default AWS_REGION, the profile, the host name',
  )

export const targetFlags = (): readonly Option[] => [
  flag(
    '--postgres <dsn>',
    'a Postgres database: a URL or a libpq keyword string, PG* variables fill in (TLS verify-full)',
  ),
  flag('--insecure-local', 'no TLS and any role: only for a Postgres on this machine, to try things out'),
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
  flag('--server <url>', 'an ingest service (path A), as https://ingest.example.com')

export const timeoutFlag = (): Option =>
  flag('--timeout <seconds>', 'how long the server may be silent (default: 120)').argParser(duration)

export const serverFlags = (): readonly Option[] => [
  serverFlag(),
  flag('--token-env <name>', 'the variable that holds its token (default: INGEST_BEARER_TOKEN)'),
  flag('--token-file <file>', 'the file that holds its token'),
  flag('--max-envelope-bytes <n>', 'split a file beyond this, each part commits alone (default: 60 MiB)').argParser(
    positive,
  ),
  timeoutFlag(),
  flag('--retries <n>', 'how often a request is tried again (default: 8)').argParser(natural),
  flag(
    '--retry-deadline <seconds>',
    'for how long it, or Postgres, is tried again (default: 120, Postgres 60)',
  ).argParser(duration),
  compressFlag(),
]

const COMPRESS_MODES = ['always', 'auto', 'never'] as const
/** `--compress` had no value in earlier versions, and its variable was a switch. */
const SWITCH_WORDS: Readonly<Record<string, CompressMode>> = {
  ...{ 1: 'always', true: 'always', yes: 'always', on: 'always' },
  ...{ 0: 'never', false: 'never', no: 'never', off: 'never' },
}

/** Without a value it means `always`. */
const compressFlag = (): Option => {
  const option = flag(
    '--compress [when]',
    'send gzip: always, or auto, which sends uncompressed to a server that refuses gzip',
  )
  return option.choices(COMPRESS_MODES).preset('always').argParser(compressMode)
}

function compressMode(text: string): CompressMode {
  const mode = COMPRESS_MODES.find(one => one === text) ?? SWITCH_WORDS[text.trim().toLowerCase()]
  if (mode !== undefined) return mode
  throw new InvalidArgumentError(`Allowed choices are ${COMPRESS_MODES.join(', ')}.`)
}

/** How a database is written to; `tune` finds better values. */
export const writeSettingFlags = (): readonly Option[] => [
  flag('--copy-bytes <size>', 'rows sent to a database as one COPY (default: 4MiB)').argParser(byteCount),
  flag('--small-rows <n>', 'up to so many records go without staging tables (default: 5000)').argParser(natural),
  flag('--work-mem-mib <n>', 'what a database may take to sort them in, in MiB (default: 64)').argParser(positive),
]

export const explainFlag = (): Option => flag('--explain', 'also say which write settings were used, and who says so')

export const stateFlag = (): Option =>
  flag('--state <place>', 'remember what was taken in and delivered: a folder or s3://bucket/prefix')

export const archiveFlag = (): Option =>
  flag('--archive <place>', 'with --state: keep the lines as they came, by table and commit: a folder or s3://…')

export const targetNameFlag = (): Option =>
  flag('--target <name>', 'with --state: a registered target, in place of all of them; may be repeated').argParser(
    (name: string, names: readonly string[] | undefined) => [...(names ?? []), name],
  )

export const requireFlag = (): Option =>
  flag(
    '--require <target>',
    'whose failure is that of a push to several targets (default: server, else the database)',
  ).choices(['all', 'any', 'server', 'postgres', 'embedded', 'archive'])

export const downgradeFlag = (): Option =>
  flag(
    '--downgrade',
    'leave out what a target of an older contract version cannot hold, and report it; without it such a target is refused',
  )

export const outcomeFlags = (): readonly Option[] => [
  requireFlag(),
  flag('--allow-failure', 'end in 0 although a required target is down (69, or 75 with --state); never for bad data'),
  flag('--no-revalidate', 'do not tell the site at BENCH_SITE_BASE_URL about new rows in Postgres'),
  flag('--no-warm', 'tell it, but do not warm it up'),
  flag('--no-compare', "leave the commit before out of the run's summary (GitHub Actions)"),
]

export const commitShaFlag = (): Option =>
  flag('--commit-sha <sha>', 'the commit that every record must name, in full').argParser(fullSha)

export const commitFlags = (): readonly Option[] => [
  commitShaFlag(),
  flag('--commit <file>', "the commit's fields as JSON, in place of git"),
  flag('--benchmark-id <id>', 'what ran; detected in CI'),
  flag('--repo-url <url>', "the repository's address; by default CI's or the remote origin's"),
  flag('--git-dir <dir>', 'the repository to ask for the commit; by default where git looks by itself'),
]

export function addOptions(command: Command, options: readonly Option[]): void {
  for (const option of options) command.addOption(option)
}

/** What a record can name: a name or a part of an id would be every line's mistake. */
function fullSha(text: string): string {
  if (isFullSha(text)) return text
  throw new InvalidArgumentError('It must be 40 lowercase hex digits, as `git rev-parse COMMIT` prints them.')
}

/** A whole number from 0. */
export function natural(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number from 0.')
  return value
}

const MAX_SECONDS = 1_000_000

/** Seconds, more than none and no more than timers can count. */
export function duration(text: string): number {
  const value = Number(text)
  if (!/^\d+(\.\d+)?$/.test(text) || value <= 0 || value > MAX_SECONDS)
    throw new InvalidArgumentError(`It must be a number of seconds above 0, at most ${MAX_SECONDS}.`)
  return value
}

const AGE_UNITS: Readonly<Record<string, number>> = { m: 60_000, h: 3_600_000, d: 86_400_000 }

/** Milliseconds of `90m`, `12h`, `30d`. */
export function age(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,6})([mhd])$/.exec(text) ?? []
  const unitMs = AGE_UNITS[unit]
  if (unitMs === undefined) throw new InvalidArgumentError('it must be an age such as 30d, 12h or 90m.')
  return Number(digits) * unitMs
}

/** A whole number from 1. */
export function positive(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('It must be a whole number from 1.')
  return value
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, kib: 2 ** 10, mib: 2 ** 20, gib: 2 ** 30 }

/** A number of bytes: `1000`, `64KiB`, `64MiB`, `1GiB`. */
export function byteCount(text: string): number {
  const [, digits = '', unit = ''] = /^(\d{1,15}) ?([a-z]*)$/i.exec(text) ?? []
  const bytes = Number(digits) * (UNITS[unit.toLowerCase()] ?? NaN)
  if (digits === '' || !(bytes >= 1)) throw new InvalidArgumentError('It must be a size such as 64MiB.')
  return bytes
}
