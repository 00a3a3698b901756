/** Generates the man page from the commands, in roff with the macros of man(7). */

import type { Argument, Command, Option } from 'commander'
import { pathOf, withSubcommands } from '../src/cli/options/command-tree.js'
import { EXIT_CODES } from '../src/cli/program.js'

export function manPage(program: Command): string {
  const lines = [
    '.\\" Written by npm run docs.',
    '.TH VORTEX-INGEST 1',
    ...['.SH NAME', text(`${program.name()} - ${program.description()}`)],
    ...['.SH SYNOPSIS', `.B ${text(program.name())}`, '.I command', '[\\fIoptions\\fR] [\\fIarguments\\fR]'],
    ...['.SH OPTIONS OF EVERY COMMAND', ...program.options.flatMap(optionLines)],
    '.SH COMMANDS',
    ...withSubcommands(program).slice(1).flatMap(commandLines),
    ...section('EXIT STATUS', EXIT_CODES.replace(/^\s*Exit codes:\n/, '')),
    ...section('FILES', FILES),
  ]
  return `${lines.join('\n')}\n`
}

const FILES = `vortex-ingest.toml, vortex-ingest.json: flags by their long names, in the working directory or in a folder
above it, up to the root of the repository.`

function commandLines(command: Command): readonly string[] {
  const usage = command.registeredArguments.map(argumentText).join(' ')
  const examples = examplesOf(command)
  return [
    `.SS ${text(`${pathOf(command)} ${usage}`.trim())}`,
    text(command.description()),
    ...command.registeredArguments.flatMap(one => ['.TP', `.I ${text(one.name())}`, text(one.description)]),
    ...command.options.flatMap(optionLines),
    ...(examples === '' ? [] : ['.P', 'Examples:', '.P', '.nf', text(examples), '.fi']),
  ]
}

function argumentText(argument: Argument): string {
  const name = `${argument.name()}${argument.variadic ? '...' : ''}`
  return argument.required ? `<${name}>` : `[${name}]`
}

function optionLines(option: Option): readonly string[] {
  const notes = [
    ...(option.argChoices === undefined ? [] : [`one of ${option.argChoices.join(', ')}`]),
    ...(option.defaultValue === undefined || typeof option.defaultValue === 'boolean'
      ? []
      : [`default: ${option.defaultValueDescription ?? String(option.defaultValue)}`]),
    ...(option.envVar === undefined ? [] : [`environment: ${option.envVar}`]),
  ]
  const note = notes.length === 0 ? '' : ` (${notes.join('; ')})`
  return ['.TP', `.B ${text(option.flags)}`, text(`${option.description}${note}`)]
}

/** The examples of a command, which are at the end of its help. */
function examplesOf(command: Command): string {
  let help = ''
  command.configureOutput({ writeOut: part => (help += part) }).outputHelp()
  return help.split('\nExamples:\n')[1]?.trim() ?? ''
}

function section(title: string, body: string): readonly string[] {
  return [`.SH ${title}`, '.nf', text(body.trim()), '.fi']
}

/** Escapes text for roff: a line must not begin with a dot or quote, and a hyphen must be one that can be copied. */
function text(plain: string): string {
  return plain
    .replaceAll('\\', '\\e')
    .replaceAll('-', '\\-')
    .replace(/^([.'])/gm, '\\&$1')
}
