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
