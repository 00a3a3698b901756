/** Workflow commands: lines that the runner of GitHub Actions takes out of a log and obeys. */

import type { Syntax } from '../annotator.js'

export type Properties = Readonly<Record<string, string | number | undefined>>

/**
 * `::name key=value,key=value::message`, escaped so that nothing in it ends the command or begins another. Values that
 * are undefined are left out.
 */
export function workflowCommand(name: string, properties: Properties, message: string): string {
  const pairs = Object.entries(properties).flatMap(([key, value]) =>
    value === undefined ? [] : [`${key}=${escapeProperty(String(value))}`],
  )
  return `::${name}${pairs.length === 0 ? '' : ` ${pairs.join(',')}`}::${escapeData(message)}`
}

const BRACKET: Readonly<Record<Syntax, string>> = { text: '\u200b[', json: '\\u005b', xml: '&#91;' }

/**
 * Names come from whoever wrote the records. The runner obeys `::name::` where a line begins with it, and `##[name]`
 * wherever it stands; in JSON and XML the text means the same as before.
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
