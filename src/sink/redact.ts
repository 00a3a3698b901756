/** Takes passwords and tokens out of text that a person or a log may see. */

const HIDDEN = '***'

// `scheme://user:password@`. The password may hold anything but a space or a quote, so it ends at the last `@`.
const PASSWORD = /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:]*):[^\s"'`<>]*@/gi

// `scheme://user:` without such an end: unless a port follows, what follows is a malformed password.
const STRAY_PASSWORD =
  /([a-z][a-z0-9+.-]*:\/\/[^\s/?#@:[\]]*):(?!\*\*\*@|\d{0,5}(?:[/?#\s,.;:"'`<>)\]}]|$))(?:[^\n]*(?=@)|\S*)/gi

// `https://token@host`; a Postgres or SSH user on its own is no secret.
const LONE_TOKEN = /(https?:\/\/)[^\s/?#@:"'`<>]+@/gi

// `?password=…` in a URL, `X-Amz-Signature=…` in an RDS token, `password=…` in a libpq keyword string.
const PARAMETER =
  /((?:^|[\s?&;"'`])[\w.-]*(?:password|passwd|secret|token|signature|credential|api[_-]?key)\s*=\s*)(?:'(?:[^'\\]|\\.)*'|[^\s&;"'`]+)/gi

/** `text` with the secret of every URL, whatever its scheme, and of every parameter named like one replaced. */
export function redact(text: string): string {
  return text
    .replace(PASSWORD, `$1:${HIDDEN}@`)
    .replace(STRAY_PASSWORD, `$1:${HIDDEN}`)
    .replace(LONE_TOKEN, `$1${HIDDEN}@`)
    .replace(PARAMETER, `$1${HIDDEN}`)
}
