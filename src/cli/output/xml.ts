/** Escapes untrusted text for XML documents. */

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML 1.0 cannot represent, not even as an entity. */
const IMPOSSIBLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** Escapes `text` for an element or an attribute. Characters that XML cannot represent become U+FFFD. */
export function xmlText(text: string): string {
  return text
    .replace(IMPOSSIBLE, '\ufffd')
    .replace(/[&<>"]/g, character => ENTITIES[character] ?? '')
    .replace(/[\t\n\r]/g, character => `&#${character.charCodeAt(0)};`)
}

/** Formats each attribute as ` name="value"`. */
export function xmlAttributes(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${xmlText(String(value))}"`)
    .join('')
}
