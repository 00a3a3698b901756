/** Extracts the text of an HTTP answer for messages: short, on one line, and without control characters. */

import { hideSecret } from '../redact.js'
import { visibleText } from '../visible-text.js'
import type { HttpAnswer } from './exchange.js'

const MAX_MESSAGE = 300
const MAX_LINE = 200

/**
 * The `message` or `error` of a JSON answer, otherwise the first line of the body. Empty when there is neither.
 * @param secret the token of the request, which some servers and proxies echo
 */
export function answerText({ text }: Pick<HttpAnswer, 'text'>, secret?: string): string {
  const members = jsonObject(text)
  if (members === undefined) return printable(hideSecret(firstLine(text), secret), MAX_LINE)
  const { message, error } = members
  const words = typeof message === 'string' ? message : typeof error === 'string' ? error : ''
  return printable(hideSecret(words, secret), MAX_MESSAGE)
}

/** The status of an answer with its text, if any: `502 (Bad gateway)`. */
export function statusWithText(answer: Pick<HttpAnswer, 'status' | 'text'>, secret?: string): string {
  const answered = answerText(answer, secret)
  return answered === '' ? String(answer.status) : `${answer.status} (${answered})`
}

/** Parses a body that is a JSON object. Undefined for every other body. */
export function jsonObject(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value = JSON.parse(text) as unknown
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Record<string, unknown>)
      : undefined
  } catch {
    return undefined
  }
}

/** The first line that is not blank. */
function firstLine(text: string): string {
  return /\S[^\r\n]*/.exec(text)?.[0].trimEnd() ?? ''
}

/** Truncates text to `max` characters and escapes characters that are invisible or would control a terminal. */
function printable(text: string, max: number): string {
  let shown = ''
  for (const char of text) {
    const next = visibleText(char)
    if (shown.length + next.length > max) return `${shown}…`
    shown += next
  }
  return shown
}
