/**
 * Escapes invisible and control characters in untrusted text (file names, records, server answers), so that it cannot
 * manipulate a terminal or log.
 */

/**
 * Characters that are invisible or control a terminal, such as ESC, C1 controls, bidirectional overrides, and spaces of
 * no width.
 */
const INVISIBLE = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}]/gu

/** Text without any such character. This test is quick, while compiling `INVISIBLE` costs a start as much as loading a module. */
const PRINTABLE_ASCII = /^[ -~]*$/

const SHORT: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' }

/** Replaces each invisible character with its JSON escape, such as `\u001b`. The value of a JSON text stays the same. */
export function visibleText(text: string): string {
  if (PRINTABLE_ASCII.test(text)) return text
  return text.replace(INVISIBLE, character => SHORT[character] ?? jsonEscape(character))
}

/** `visibleText` of text with several lines: line feeds and tabs stay. */
export function visibleLines(text: string): string {
  return text.replace(/[^\n\t]+/g, visibleText)
}

/** `visibleText` in one line: line breaks and tabs become spaces. */
export function oneLine(text: string): string {
  return visibleText(text.replace(/[\t-\r\u0085\u2028\u2029]+/g, ' ')).trim()
}

/** Characters beyond U+FFFF become a pair of escapes, as in JSON. */
function jsonEscape(character: string): string {
  const units = Array.from({ length: character.length }, (_, at) => character.charCodeAt(at))
  return units.map(unit => `\\u${unit.toString(16).padStart(4, '0')}`).join('')
}
