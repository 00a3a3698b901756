/** Flags that several commands share; each can be set by an environment variable too. */

import { InvalidArgumentError, Option, type Command } from 'commander'
import type { Environment } from '../commit/ci.js'
import { ENV_PREFIX } from '../config.js'

/** @param flags as commander writes them: `--commit-sha <sha>` */
export function flag(flags: string, description: string): Option {
  const option = new Option(flags, description)
  return option.env(ENV_PREFIX + option.name().replace(/-/g, '_').toUpperCase())
}

export const formatFlag = (): Option =>
  flag('--format <format>', 'how to print the result').choices(['human', 'json']).default('human')

export const targetFlags = (): readonly Option[] => [
  flag(
    '--postgres <dsn>',
    'a Postgres database: a URL or a libpq keyword string, PG* variables fill in (TLS verify-full)',
  ),
  flag('--insecure-local', 'no TLS and any role: only for a Postgres on this machine, to try things out'),
  flag(
    '--region <region>',
    'the AWS region to make an RDS token for; by default AWS_REGION, the profile, the host name',
  ),
  flag('--embedded [dir]', 'the embedded database in this folder (default: .vortex-ingest)'),
]

export const rolePolicyFlag = (): Option =>
  flag('--role-policy <policy>', 'which Postgres role may write; by default bench_ingest').choices([
    'bench_ingest',
    'any',
  ])

export const retryDeadlineFlag = (): Option =>
  flag('--retry-deadline <seconds>', 'how long to try again while the target is down; by default 60').argParser(seconds)

export const commitShaFlag = (): Option => flag('--commit-sha <sha>', 'the commit that every record must name')

export const commitFlags = (): readonly Option[] => [
  commitShaFlag(),
  flag('--commit <file>', "the commit's fields as JSON, in place of git"),
  flag('--benchmark-id <id>', 'what ran; detected in CI'),
  flag('--repo-url <url>', "the repository's address; by default CI's or the remote origin's"),
  flag('--git-dir <dir>', 'the repository to ask for the commit; by default where git looks by itself'),
]

const SWITCHED_OFF = ['', '0', 'false', 'no', 'off']

/**
 * The flags of a parsed command, where commander is taken too literally by the environment: to it a switch is on as
 * soon as there is a variable, even `…_INSECURE_LOCAL=0`, and a target in a variable stands beside one that a flag names.
 */
export function flagsOf(command: Command, env: Environment): object {
  const isFrom = (source: string, name: string): boolean => command.getOptionValueSource(name) === source
  const beaten = isFrom('cli', 'postgres')
    ? ['embedded']
    : isFrom('cli', 'embedded')
      ? ['postgres', 'insecureLocal', 'region', 'rolePolicy']
      : []
  const dropped = command.options.filter(option => {
    if (!isFrom('env', option.attributeName())) return false
    const isOff = option.isBoolean() && SWITCHED_OFF.includes((env[option.envVar ?? ''] ?? '').trim().toLowerCase())
    return isOff || beaten.includes(option.attributeName())
  })
  const names = new Set(dropped.map(option => option.attributeName()))
  return Object.fromEntries(Object.entries(command.opts()).filter(([name]) => !names.has(name)))
}

/** A number of seconds from 0. */
function seconds(text: string): number {
  if (!/^\d{1,6}(\.\d+)?$/.test(text)) throw new InvalidArgumentError('it must be a number of seconds from 0.')
  return Number(text)
}

/** A whole number from 1. */
export function positive(text: string): number {
  const value = Number(text)
  if (!/^\d+$/.test(text) || value < 1 || !Number.isSafeInteger(value))
    throw new InvalidArgumentError('it must be a whole number from 1.')
  return value
}
