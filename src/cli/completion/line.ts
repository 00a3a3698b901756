/** Parses an unfinished command line for completion. */

import type { Command, Option } from 'commander'

export type TypedLine = {
  readonly command: Command
  /** Options of the command and of the program. */
  readonly options: readonly Option[]
  /** Given flags by their long names. The value is undefined for a flag without a value. */
  readonly given: ReadonlyMap<string, string | undefined>
  /** The option whose value the next word is; undefined if the next word is no value. */
  readonly awaiting: Option | undefined
  readonly positionals: number
  /** Whether `--` was given. All following words are arguments, not flags. */
  readonly isOver: boolean
}

/** Joins words that Bash has split: it makes three words of `--format=json` and of `s3://bucket`. */
export function joined(words: readonly string[]): readonly string[] {
  return words.reduce<readonly string[]>((before, word) => {
    const last = before.at(-1) ?? ''
    const goesOn = (word === '=' && /^--[a-z-]+$/.test(last)) || /^--[a-z-]+=$/.test(last)
    const isAddress = (word === ':' && /^\w+$/.test(last)) || (word.startsWith('//') && last.endsWith(':'))
    return goesOn || isAddress ? [...before.slice(0, -1), last + word] : [...before, word]
  }, [])
}

/** @param words the finished words, without the last one */
export function readLine(program: Command, words: readonly string[]): TypedLine {
  let line: TypedLine = {
    ...{ command: program, options: program.options, given: new Map(), awaiting: undefined },
    ...{ positionals: 0, isOver: false },
  }
  for (const word of words) line = { ...line, ...next(line, word, program) }
  return line
}

function next(line: TypedLine, word: string, program: Command): Partial<TypedLine> {
  const { awaiting, isOver, command, positionals } = line
  if (awaiting !== undefined) return { awaiting: undefined, given: withFlag(line, awaiting.long ?? '', word) }
  if (word === '--') return { isOver: true }
  if (word.startsWith('-') && !isOver) return withWord(line, word)
  const below = positionals === 0 ? command.commands.find(one => one.name() === word) : undefined
  if (below === undefined) return { positionals: positionals + 1 }
  const alone = below.commands.find(one => one.name() === (below as WithDefault)._defaultCommandName)
  return { command: below, options: [...below.options, ...(alone?.options ?? []), ...program.options] }
}

function withWord(line: TypedLine, word: string): Partial<TypedLine> {
  const [flag = '', value] = word.split(/=(.*)/s)
  const option = line.options.find(({ long, short }) => long === flag || short === flag)
  const takes = option?.required === true && value === undefined
  return { given: withFlag(line, option?.long ?? flag, value), awaiting: takes ? option : undefined }
}

function withFlag({ given }: TypedLine, flag: string, value: string | undefined): TypedLine['given'] {
  return new Map(given).set(flag, value)
}

/** A member of commander's commands that is missing from its types: the default subcommand, such as `journal show` for `journal`. */
type WithDefault = { readonly _defaultCommandName?: string | null }
