/** From a git remote, in any of the ways people write one, to the repository's page on the web. */

const WITH_SCHEME = /^(?:https?|git|ssh|git\+ssh|ssh\+git):\/\//i

/** `[user@]host:path`, as scp writes it. A single letter before the colon is a Windows drive. */
const SCP_LIKE = /^(?:[^@/]+@)?([^@:/]{2,}):(?!\/\/)([^:]+)$/

const UNWRITABLE = /[\s\\\p{Cc}]/u

/** Hosts that exist only to serve ssh on port 443, with the host that serves the pages. */
const WEB_HOST_OF: ReadonlyMap<string, string> = new Map([
  ['ssh.github.com', 'github.com'],
  ['altssh.gitlab.com', 'gitlab.com'],
  ['altssh.bitbucket.org', 'bitbucket.org'],
])

/**
 * The https address of a repository: no credentials, no `.git`, no trailing slash, no query.
 * @returns `undefined` for what names no web page: a path, a `file:` URL, anything not understood
 */
export function repoWebUrl(remote: string): string | undefined {
  const text = remote.trim()
  if (UNWRITABLE.test(text)) return undefined
  if (WITH_SCHEME.test(text)) return fromUrl(text)
  const [, host, path] = SCP_LIKE.exec(text) ?? []
  return host === undefined || path === undefined ? undefined : httpsUrl(host, path)
}

/** The page of one commit. @see contract section 2 */
export function commitUrl(repoUrl: string, sha: string): string {
  return `${repoUrl}/commit/${sha}`
}

function fromUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // A port of ssh or of git's own protocol says nothing about where the web pages are.
  const host = url.protocol.startsWith('http') ? url.host : url.hostname
  return httpsUrl(host, url.pathname)
}

function httpsUrl(host: string, path: string): string | undefined {
  const segments = path
    .replace(/\/+$/, '')
    .replace(/\.git$/i, '')
    .split('/')
    .filter(segment => segment !== '')
  const candidate = `https://${WEB_HOST_OF.get(host.toLowerCase()) ?? host}/${segments.join('/')}`
  if (host === '' || !URL.canParse(candidate)) return undefined
  const { origin, pathname } = new URL(candidate)
  return pathname === '/' ? undefined : origin + pathname.replace(/\/+$/, '')
}
