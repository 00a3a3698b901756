/** What may stand at the end of an unfinished command line, read off the commands themselves. */

import type { Command, Option } from 'commander'

export type Candidate = { readonly value: string; readonly what?: string }

/** What a state knows names of. */
export type NameSort = 'target' | 'bucket' | 'trial'

/** @param state as --state names it, undefined where no flag does */
export type AskNames = (sort: NameSort, state: string | undefined) => Promise<readonly string[]>

/** Asks the shell to complete by itself. */
export const FILES: Candidate = { value: ':files' }
export const FOLDERS: Candidate = { value: ':folders' }

/** @param words what follows the program's name; the last one is not finished and may be empty */
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
    // A shell that completes files by itself takes the word as it is.
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

/** Bash makes three words of `--format=json`. */
function joined(words: readonly string[]): readonly string[] {
  return words.reduce<readonly string[]>((before, word) => {
    const last = before.at(-1) ?? ''
    const goesOn = (word === '=' && /^--[a-z-]+$/.test(last)) || /^--[a-z-]+=$/.test(last)
    return goesOn ? [...before.slice(0, -1), last + word] : [...before, word]
  }, [])
}

type Line = {
  readonly command: Command
  /** The command's own, and those of the program. */
  readonly options: readonly Option[]
  readonly given: readonly string[]
  /** What the next word is the value of. */
  readonly awaiting: Option | undefined
  readonly positionals: number
  readonly state: string | undefined
  /** After `--` there are no flags. */
  readonly isOver: boolean
}

function readLine(program: Command, words: readonly string[]): Line {
  let line: Line = {
    ...{ command: program, options: program.options, given: [], awaiting: undefined },
    ...{ positionals: 0, state: undefined, isOver: false },
  }
  for (const word of words) line = { ...line, ...next(line, word, program) }
  return line
}

function next(line: Line, word: string, program: Command): Partial<Line> {
  const { awaiting, isOver, command, options, given, positionals } = line
  if (awaiting !== undefined) return { awaiting: undefined, ...(awaiting.long === '--state' && { state: word }) }
  if (word === '--') return { isOver: true }
  if (word.startsWith('-') && !isOver) {
    const [flag = '', value] = word.split(/=(.*)/s)
    const option = options.find(({ long, short }) => long === flag || short === flag)
    const takes = option?.required === true && value === undefined
    const state = flag === '--state' && value !== undefined ? { state: value } : {}
    return { given: [...given, option?.long ?? flag], awaiting: takes ? option : undefined, ...state }
  }
  const below = positionals === 0 ? command.commands.find(one => one.name() === word) : undefined
  if (below === undefined) return { positionals: positionals + 1 }
  const alone = below.commands.find(one => one.name() === (below as WithDefault)._defaultCommandName)
  return { command: below, options: [...below.options, ...(alone?.options ?? []), ...program.options] }
}

/** What commander has without saying so in its types: the command that `journal` alone is short for. */
type WithDefault = { readonly _defaultCommandName?: string | null }

function flagsOf({ options, given, command }: Line): readonly Candidate[] {
  const help = { value: '--help', what: 'display help' }
  const shown = options.filter(
    option => !option.hidden && (option.name() === 'target' || !given.includes(option.long ?? '')),
  )
  const flags = shown.map(option => ({ value: option.long ?? option.flags, what: option.description }))
  return command.parent === null ? [...flags, help] : [...flags.filter(({ value }) => value !== '--version'), help]
}

const NAMES: Readonly<Record<string, readonly NameSort[]>> = {
  '--target': ['target'],
  '--bucket': ['bucket'],
  '--trial': ['trial'],
}

/** By what stands between the brackets of a flag. */
const PLACES: Readonly<Record<string, Candidate>> = { file: FILES, dir: FOLDERS, place: FOLDERS, 'dir|dsn': FOLDERS }

async function valuesOf(option: Option, line: Line, ask: AskNames): Promise<readonly Candidate[]> {
  if (option.argChoices !== undefined) return option.argChoices.map(value => ({ value }))
  const sorts = NAMES[option.long ?? '']
  if (sorts !== undefined) {
    const ofJournal: readonly NameSort[] = [line.command.name(), line.command.parent?.name()].includes('journal')
      ? ['target', 'bucket']
      : sorts
    return namesOf(ofJournal, line, ask)
  }
  const place = PLACES[/[<[](.*)[>\]]/.exec(option.flags)?.[1] ?? '']
  return place === undefined ? [] : [place]
}

async function argumentsOf({ command, positionals, ...line }: Line, ask: AskNames): Promise<readonly Candidate[]> {
  const all = command.registeredArguments
  const last = all.at(-1)
  const argument = all[positionals] ?? (last?.variadic === true ? last : undefined)
  if (argument === undefined) return []
  if (command.name() === 'completion') return ['bash', 'zsh', 'fish'].map(value => ({ value }))
  if (/^files?$/.test(argument.name())) return [FILES]
  const sort = sortOf(command, argument.name())
  if (sort === undefined) return (argument.argChoices ?? []).map(value => ({ value }))
  return namesOf([sort], { command, positionals, ...line }, ask)
}

/** New names are nobody's to complete. */
function sortOf(command: Command, argument: string): NameSort | undefined {
  const group = command.parent?.name()
  if (command.name() === 'add') return undefined
  if (group === 'targets' && argument === 'name') return 'target'
  return group === 'buckets' && ['name', 'bucket'].includes(argument) ? 'bucket' : undefined
}

async function namesOf(sorts: readonly NameSort[], { state }: Line, ask: AskNames): Promise<readonly Candidate[]> {
  const names = await Promise.all(sorts.map(sort => ask(sort, state)))
  return names.flat().map(value => ({ value }))
}

function isForShell({ value }: Candidate): boolean {
  return value.startsWith(':')
}

function startingWith(current: string, found: readonly Candidate[]): readonly Candidate[] {
  return found.filter(one => isForShell(one) || one.value.startsWith(current))
}
