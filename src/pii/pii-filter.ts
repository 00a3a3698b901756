/** Masks or drops personal data in commits and records. Dimensions stay as they are, because ids are hashes of them. */

import { createHmac } from 'node:crypto'
import { PII_KEY_VARIABLE } from '../config/environment.js'
import type { Commit } from '../contract/commit.js'
import type { PiiMode } from '../contract/pii-mode.js'
import { IngestError } from '../errors.js'
import type { LineBlock } from '../source/lines.js'
import { rewriteLines } from './rewrite-lines.js'
import type { PiiFinding } from './rules.js'

export type PiiOptions = {
  /** Default: `keep`. */
  readonly mode?: PiiMode | undefined
  /** The key of the hash that `mask` writes, at least 16 characters. Equal values have equal hashes under the same key. */
  readonly key?: string | undefined
}

const MIN_KEY_LENGTH = 16

/** Digits of a hash, so that two different values have the same hash with a probability of 1 in 2^64. */
const HASH_DIGITS = 16

/** Number of texts whose result is remembered. */
const MAX_KNOWN = 10_000

/**
 * @returns undefined for `keep`
 * @throws {IngestError} `config_invalid` for `mask` without a key, or with a short one
 */
export function piiFilter({ mode = 'keep', key = '' }: PiiOptions): PiiFilter | undefined {
  if (mode === 'keep') return undefined
  if (mode === 'mask' && key.length < MIN_KEY_LENGTH) {
    const found = key === '' ? 'is not set' : `has fewer than ${MIN_KEY_LENGTH} characters`
    const hint = `set it to a secret that all machines share, such as the output of \`openssl rand -hex 32\`, or use --pii drop`
    throw new IngestError('config_invalid', `--pii mask needs a key, but ${PII_KEY_VARIABLE} ${found}`, { hint })
  }
  return new PiiFilter(mode, key)
}

/** Applying a filter to its own result changes nothing. */
export class PiiFilter {
  readonly #known = new Map<string, string>()

  constructor(
    readonly mode: Exclude<PiiMode, 'keep'>,
    private readonly key: string,
  ) {}

  /** The commit with other names and addresses. Its message and URL change only where they hold personal data. */
  async commit<One extends Commit>(commit: One): Promise<One> {
    const [message = '', url = ''] = await this.texts([commit.message, commit.url])
    return {
      ...commit,
      ...{ message, url },
      author_name: await this.#whole('person-name', commit.author_name),
      author_email: await this.#whole('email', commit.author_email),
      committer_name: await this.#whole('person-name', commit.committer_name),
      committer_email: await this.#whole('email', commit.committer_email),
    }
  }

  /** The lines with other values in text fields that are no dimensions. See `rewriteLines`. */
  lines(blocks: AsyncIterable<LineBlock>, source: string): AsyncIterable<LineBlock> {
    return rewriteLines(blocks, { source, rewrite: texts => this.texts(texts) })
  }

  /** Texts in which personal data is masked or dropped. */
  async texts(texts: readonly string[]): Promise<readonly string[]> {
    const results = texts.map(text => this.#known.get(text))
    const unknown = [...new Set(texts.filter((_, index) => results[index] === undefined))]
    if (unknown.length === 0) return results as readonly string[]
    if (this.#known.size > MAX_KNOWN) this.#known.clear()
    const rewritten = await this.#rewriteTexts(unknown)
    for (const [index, text] of unknown.entries()) this.#known.set(text, rewritten[index]!)
    return texts.map((text, index) => results[index] ?? this.#known.get(text)!)
  }

  async #rewriteTexts(texts: readonly string[]): Promise<readonly string[]> {
    const [{ findPersonalData }, rules] = await Promise.all([import('./detect.js'), import('./rules.js')])
    const drop = (): string => rules.DROPPED
    const clean = this.mode === 'mask' ? texts : texts.map(text => replaceAll(text, rules.matchMasked(text), drop))
    const found = await findPersonalData(clean)
    const replacement = ({ rule }: PiiFinding, part: string): string =>
      this.mode === 'mask' ? this.#masked(rule, part) : rules.DROPPED
    return clean.map((text, index) => replaceAll(text, found[index]!, replacement))
  }

  /** A value that is personal data as a whole. */
  async #whole(rule: 'person-name' | 'email', text: string): Promise<string> {
    if (this.mode === 'drop') return ''
    const { isMasked } = await import('./rules.js')
    return text === '' || isMasked(text) ? text : this.#masked(rule, text)
  }

  #masked(rule: string, part: string): string {
    if (rule === 'email') return `${this.#hash(rule, part.toLowerCase())}@masked.invalid`
    return `masked-${this.#hash(rule === 'person-name' ? rule : 'token', part)}`
  }

  #hash(purpose: string, value: string): string {
    const hash = createHmac('sha256', this.key).update(`${purpose}\0${value.normalize('NFC')}`)
    return hash.digest('hex').slice(0, HASH_DIGITS)
  }
}

function replaceAll(
  text: string,
  findings: readonly PiiFinding[],
  replacement: (finding: PiiFinding, part: string) => string,
): string {
  let [result, end] = ['', 0]
  for (const finding of findings) {
    result += text.slice(end, finding.start) + replacement(finding, text.slice(finding.start, finding.end))
    end = finding.end
  }
  return result + text.slice(end)
}
