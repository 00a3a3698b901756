/** Replaces passwords and tokens in text that is shown or logged. */

const HIDDEN = '***'

// `scheme://user:password@`. The password may contain any character except a space or a quote, so it ends at the last `@`.
const PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*):[^\s"'`<>]*@/gi

// `scheme://user:` without a closing `@`. Unless a port follows, the rest is a malformed password.
const STRAY_PASSWORD =
  /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:[\]]*):(?!\*\*\*@|\d{0,5}(?:[/?#\s,.;:"'`<>)\]}]|$))(?:[^\n]*(?=@)|\S*)/gi

// `https://token@host`. A user alone is a secret only over HTTP; a Postgres or SSH user is not.
const LONE_TOKEN = /(https?:\/\/)[^\s/?#@:"'`<>]+@/gi

// `?password=…` in a URL, `X-Amz-Signature=…` in an RDS token, `password=…` in a libpq keyword string.
const PARAMETER =
  /((?:^|[\s?&;"'`])[\w.-]*(?:password|passwd|secret|token|signature|credential|api[_-]?key)\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&;"'`]+)/gi

/** Replaces the password in every URL of any scheme, and the value of every parameter whose name suggests a secret. */
export function redact(text: string): string {
  return text
    .replace(PASSWORD, `$1:${HIDDEN}@`)
    .replace(STRAY_PASSWORD, `$1:${HIDDEN}`)
    .replace(LONE_TOKEN, `$1${HIDDEN}@`)
    .replace(PARAMETER, `$1${HIDDEN}`)
}

/** Shorter secrets are hidden only after `Bearer`, because replacing every "a" would make a text unreadable. */
const SHORTEST = 4

const ENTITIES: Readonly<Record<string, string>> = { '"': 'quot', '&': 'amp', '<': 'lt', '>': 'gt', "'": 'apos' }

/**
 * Hides a secret in text that is shown, also where the text has it in JSON, in a URL or in HTML. Call this after parsing an
 * answer, because a short secret may also occur in numbers or keys.
 */
export function hideSecret(text: string, secret: string | undefined): string {
  if (secret === undefined || secret === '') return text
  const forms = [...secret].map(formsOf).join('')
  const pattern = secret.length < SHORTEST ? `(?<=\\bBearer\\s+)${forms}(?!\\w)` : forms
  return text.replace(new RegExp(pattern, 'gi'), HIDDEN)
}

/** A pattern of the ways to write a character. */
function formsOf(character: string): string {
  if (/\w/.test(character)) return character
  const code = character.codePointAt(0)!
  const hex = code.toString(16)
  const percent = [...Buffer.from(character)].map(byte => `%${byte.toString(16).padStart(2, '0')}`).join('')
  const entity = ENTITIES[character] === undefined ? '' : `|&${ENTITIES[character]};`
  const literal = character.replace(/[\\^$.*+?()[\]{}|/-]/, '\\$&')
  return `(?:\\\\*${literal}|\\\\+u${hex.padStart(4, '0')}|${percent}|&#0*${code};|&#x0*${hex};${entity})`
}
