/** Completion candidates for an unfinished command line, derived from the command definitions. */

import type { Command, Option } from 'commander'
import { TARGET_KINDS } from '../../targets/kinds.js'
import { joined, readLine, type TypedLine } from './line.js'
import { SCRIPTS } from './scripts.js'

export type Candidate = { readonly value: string; readonly what?: string }

/** A sort of name that a state (target, bucket, trial) or a config file (profile) defines. */
export type NameKind = 'target' | 'bucket' | 'trial' | 'profile'

/**
 * Looks up the names of a sort.
 * @param line its flags select the state and the config file, if it has such flags
 */
export type AskNames = (sort: NameKind, line: TypedLine) => Promise<readonly string[]>

/** Special candidates that ask the shell to complete file or folder names itself. */
const FILES: Candidate = { value: ':files' }
const FOLDERS: Candidate = { value: ':folders' }

/** @param words the words after the program's name. The last word is unfinished and may be empty. */
export async function candidates(
  program: Command,
  words: readonly string[],
  ask: AskNames,
): Promise<readonly Candidate[]> {
  const typed = joined(words)
  const current = typed.at(-1) ?? ''
  const line = readLine(program, typed.slice(0, -1))
  const [, flag = '', start] = /^(--[a-z-]+)=(.*)$/s.exec(current) ?? []
  const option = start === undefined ? line.awaiting : line.options.find(({ long }) => long === flag)
  if (option !== undefined) {
    const prefix = start === undefined ? '' : `${flag}=`
    const values = await valuesOf(option, line, ask)
    // The special candidates get no prefix, because the shell completes the whole word itself.
    return startingWith(
      current,
      values.map(one => (isForShell(one) ? one : { ...one, value: prefix + one.value })),
    )
  }
  if (current.startsWith('-') && !line.isOver) return startingWith(current, flagsOf(line))
  const commands = line.positionals === 0 ? line.command.commands : []
  const named = commands.map(command => ({ value: command.name(), what: command.summary() }))
  return startingWith(current, [...named, ...(await argumentsOf(line, ask))])
}

function flagsOf({ options, given, command }: TypedLine): readonly Candidate[] {
  const help = { value: '--help', what: 'display help' }
  const shown = options.filter(
    option => !option.hidden && (option.name() === 'target' || !given.has(option.long ?? '')),
  )
  const flags = shown.map(option => ({ value: option.long ?? option.flags, what: option.description }))
  return command.parent === null ? [...flags, help] : [...flags.filter(({ value }) => value !== '--version'), help]
}

const NAMES: Readonly<Record<string, readonly NameKind[]>> = {
  '--target': ['target'],
  '--bucket': ['bucket'],
  '--trial': ['trial'],
  '--profile': ['profile'],
}

/** Special candidates by the name of a flag's value, such as `file` in `--report <file>`. */
const PLACES: Readonly<Record<string, Candidate>> = { file: FILES, dir: FOLDERS, place: FOLDERS, 'dir|dsn': FOLDERS }

async function valuesOf(option: Option, line: TypedLine, ask: AskNames): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map(value => ({ value }))
  const sorts = NAMES[option.long ?? '']
  if (sorts !== undefined) {
    const ofJournal: readonly NameKind[] = [line.command.name(), line.command.parent?.name()].includes('journal')
      ? ['target', 'bucket']
      : sorts
    return namesOf(ofJournal, line, ask)
  }
  const place = PLACES[/[<[](.*)[>\]]/.exec(option.flags)?.[1] ?? '']
  return place === undefined ? [] : [place]
}

async function argumentsOf(line: TypedLine, ask: AskNames): Promise<readonly Candidate[]> {
  const { command, positionals } = line
  const all = command.registeredArguments
  const last = all.at(-1)
  const argument = all[positionals] ?? (last?.variadic === true ? last : undefined)
  if (argument === undefined) return []
  if (command.name() === 'completion') return [...SCRIPTS.keys()].map(value => ({ value }))
  if (/^files?$/.test(argument.name())) return [FILES]
  if (argument.name() === 'kind') return TARGET_KINDS.map(({ kind }) => ({ value: kind }))
  const sort = sortOf(command, argument.name())
  if (sort === undefined) return (argument.argChoices ?? []).map(value => ({ value }))
  return namesOf([sort], line, ask)
}

/** The sort of names that an argument takes. `add` takes a new name, which cannot be completed. */
function sortOf(command: Command, argument: string): NameKind | undefined {
  const group = command.parent?.name()
  if (command.name() === 'add') return undefined
  if (group === 'targets' && argument === 'name') return 'target'
  return group === 'buckets' && ['name', 'bucket'].includes(argument) ? 'bucket' : undefined
}

async function namesOf(sorts: readonly NameKind[], line: TypedLine, ask: AskNames): Promise<readonly Candidate[]> {
  const names = await Promise.all(sorts.map(sort => ask(sort, line)))
  return names.flat().map(value => ({ value }))
}

function isForShell({ value }: Candidate): boolean {
  return value.startsWith(':')
}

function startingWith(current: string, found: readonly Candidate[]): readonly Candidate[] {
  return found.filter(one => isForShell(one) || one.value.startsWith(current))
}
