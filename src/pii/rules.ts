/** Rules for personal data and tokens in texts, beside those of secretlint. */

import tlds from 'tlds' with { type: 'json' }

/** Endings of host names that are no public top-level domains but occur in addresses: git makes addresses of host names. */
const PRIVATE_ENDINGS = ['corp', 'example', 'home', 'internal', 'intranet', 'lan', 'local', 'localdomain', 'test']

const ENDINGS: ReadonlySet<string> = new Set([...tlds, ...PRIVATE_ENDINGS])

/** Written in place of a part of a text that is dropped. */
export const DROPPED = '[removed]'

/** A masked name or token, a masked address, or a dropped part of a text. The domain can never exist (RFC 2606). */
const MASKED = '(?:masked-[0-9a-f]{16}|[0-9a-f]{16}@masked\\.invalid|\\[removed\\])'

const ONLY_MASKED = new RegExp(`^${MASKED}$`)

/** Whether a whole text is what `mask` or `drop` has written. */
export function isMasked(text: string): boolean {
  return ONLY_MASKED.test(text)
}

/**
 * An address: not the user of a URL (`ssh://git@host`), nor of `git@host:path`. Bots have brackets in their name.
 * The lengths are bounded, so that a long text without a match takes linear time.
 */
const ADDRESS =
  /(?<![\p{L}\p{N}._%+-])(?<!:\/\/)([\p{L}\p{N}_][\p{L}\p{N}._%+-]{0,63}(?:\[bot\])?)@((?:[\p{L}\p{N}](?:[\p{L}\p{N}-]{0,61}[\p{L}\p{N}])?\.){1,8}([\p{L}][\p{L}\p{N}-]{1,62}))(?![\p{L}\p{N}@]|:[^\s])/gu

/** The name of a person in a trailer of a commit message, such as `Co-authored-by: Jane Doe <jane@example.org>`. */
const TRAILER_NAME = /^[ \t]*[A-Za-z][A-Za-z-]*-by:[ \t]*([^<\n]{0,199}[^<\s])[ \t]*<[^>\n]{1,254}>/dgm

/** Formats of tokens as their issuers publish them. Groups mark the part to hide; without one it is the whole match. */
const TOKENS: readonly (readonly [rule: string, pattern: RegExp])[] = [
  ['aws-access-key-id', /\b(?:AKIA|ASIA)[A-Z2-7]{16}\b/dg],
  ['google-api-key', /\bAIza[\w-]{35}(?![\w-])/dg],
  ['stripe-key', /\b[rs]k_(?:live|test)_[0-9A-Za-z]{10,99}\b/dg],
  ['pypi-token', /\bpypi-AgEIcHlwaS5vcmc[\w-]{50,}/dg],
  ['huggingface-token', /\bhf_[A-Za-z]{34}\b/dg],
  ['json-web-token', /\beyJ[\w-]{10,}\.eyJ[\w-]{10,}\.[\w-]{10,}/dg],
  [
    'private-key',
    /-----BEGIN (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----(?:[\s\S]*?-----END (?:[A-Z0-9]+ ){0,3}PRIVATE KEY-----)?/dg,
  ],
  ['url-password', /\b[a-z][a-z0-9+.-]{0,19}:\/\/[^\s/?#@:"'`<>]*:([^\s/?#@"'`<>]+)@/dgi],
  ['url-token', /\bhttps?:\/\/([^\s/?#@:"'`<>]+)@/dgi],
]

/** A part of a text: from `start` up to `end`, in UTF-16 code units. */
export type PiiFinding = { readonly rule: string; readonly start: number; readonly end: number }

export const EMAIL_RULE = 'email'
export const NAME_RULE = 'person-name'

/** Finds addresses, names in trailers and tokens in one text. The findings may overlap. */
export function matchRules(text: string): readonly PiiFinding[] {
  const names = [...text.matchAll(TRAILER_NAME)].map(match => partOf(NAME_RULE, match))
  const tokens = TOKENS.flatMap(([rule, pattern]) => [...text.matchAll(pattern)].map(match => partOf(rule, match)))
  return [...matchAddresses(text), ...names, ...tokens].filter(({ start, end }) => !isMasked(text.slice(start, end)))
}

function matchAddresses(text: string): readonly PiiFinding[] {
  if (!text.includes('@')) return []
  return [...text.matchAll(ADDRESS)]
    .filter(([, , domain = '', ending = '']) => ENDINGS.has(ending.toLowerCase()) && !/^\d+\.\d/.test(domain))
    .map(({ 0: match, index }) => ({ rule: EMAIL_RULE, start: index, end: index + match.length }))
}

/** The first group of a match, otherwise the whole match. The pattern has the flag `d`. */
function partOf(rule: string, { indices }: RegExpMatchArray): PiiFinding {
  const [start, end] = indices![1] ?? indices![0]!
  return { rule, start, end }
}

/** The parts of a text that `mask` or `drop` has written. */
export function matchMasked(text: string): readonly PiiFinding[] {
  return [...text.matchAll(new RegExp(MASKED, 'dg'))].map(match => partOf('masked', match))
}
