/** Workflow commands: lines of a log that the runner of GitHub Actions executes. */

import type { Syntax } from '../annotator.js'

export type Properties = Readonly<Record<string, string | number | undefined>>

/**
 * Formats a command as `::name key=value,key=value::message`. Its parts are escaped, so that they can neither end the
 * command nor start another. Undefined properties are omitted.
 */
export function workflowCommand(name: string, properties: Properties, message: string): string {
  const pairs = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapeProperty(String(value))}`],
  )
  return `::${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}::${escapeData(message)}`
}

const BRACKET: Readonly<Record<Syntax, string>> = { text: '\u200b[', json: '\\u005b', xml: '&#91;' }

/**
 * Escapes workflow commands in untrusted text, such as names in records. The runner executes `::name::` at the start of a
 * line and `##[name]` anywhere. The escaped text has the same meaning in JSON and XML.
 */
export function tamed(text: string, syntax: Syntax): string {
  const inline = text.replaceAll('##[', `##${BRACKET[syntax]}`)
  return syntax === 'text' ? inline.replace(/^(\s*:)(?=:)/gm, '$1\u200b') : inline
}

function escapeData(text: string): string {
  return text.replace(/%/g, '%25').replace(/\r/g, '%0D').replace(/\n/g, '%0A')
}

function escapeProperty(text: string): string {
  return escapeData(text).replace(/:/g, '%3A').replace(/,/g, '%2C')
}
