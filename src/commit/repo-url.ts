/** Converts git remotes, in all their notations, to the repository's web address. */

import { visibleText } from '../visible-text.js'

const WITH_SCHEME = /^(?:https?|git|ssh|git\+ssh|ssh\+git):\/\//i

/** `[user@]host:path`, the notation of scp. A single letter before the colon is a Windows drive, not a host. */
const SCP_LIKE = /^(?:[^@/]+@)?([^@:/]{2,}):(?!\/\/)([^:]+)$/

/** The web host for each host that only serves ssh on port 443. */
const WEB_HOST_OF: ReadonlyMap<string, string> = new Map([
  ['ssh.github.com', 'github.com'],
  ['altssh.gitlab.com', 'gitlab.com'],
  ['altssh.bitbucket.org', 'bitbucket.org'],
])

/**
 * Converts a remote to the repository's https address without credentials, `.git`, trailing slash and query.
 * @returns undefined for remotes without a web page: paths, `file:` URLs and unknown notations
 */
export function repoWebUrl(remote: string): string | undefined {
  const text = remote.trim()
  if (/[\s\\]/.test(text) || visibleText(text) !== text) return undefined
  if (WITH_SCHEME.test(text)) return fromUrl(text)
  const [, host, path] = SCP_LIKE.exec(text) ?? []
  return host === undefined || path === undefined ? undefined : httpsUrl(host, path)
}

/** The web page of a commit. @see contract section 2 */
export function commitUrl(repoUrl: string, sha: string): string {
  return `${repoUrl}/commit/${sha}`
}

function fromUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined
  const url = new URL(text)
  // Only a port of http or https is kept, because a port of ssh or git is not that of the web server.
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
