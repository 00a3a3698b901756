import t from 'tap'
import { isExactObject, type ExactValue } from '../../src/contract/exact-value.js'
import { MAX_BODY_DEPTH, parseExact } from '../../src/source/exact-json.js'
import { Random, SEED } from '../fixtures/random.js'

const NUMBERS: readonly ((random: Random) => string)[] = [
  random => String(random.int(-100, 100)),
  random => `${random.i64()}`,
  random => random.pick(['-0', '0', '1.0', '-0.0', '1e3', '1E-3', '-2.5e+10', '0.1', '1e-400']),
  random => `${random.i64()}.${random.digits(5)}e${random.int(-200, 200)}`,
  random => random.digits(random.int(1, 60)),
]

t.test(`what JSON.parse reads is read the same, and what it refuses is refused (seed ${SEED})`, async t => {
  const random = new Random()
  const counts = { taken: 0, refused: 0 }
  const differences: string[] = []
  for (let round = 0; round < 20_000; round++) {
    const text = random.chance(0.5) ? document(random, 0) : damaged(random, document(random, 0))
    const native = tried(() => JSON.parse(text) as unknown)
    const exact = parseExact(text, { maxDepth: MAX_BODY_DEPTH })
    // The exact reader also refuses unpaired surrogates and numbers out of range, which JSON.parse accepts.
    if (!exact.ok && exact.code !== 'invalid_json') continue
    counts[exact.ok ? 'taken' : 'refused']++
    if (exact.ok !== native.ok || (exact.ok && native.ok && !same(exact.value, native.value))) differences.push(text)
  }
  t.strictSame(differences, [])
  t.ok(counts.taken > 9_000 && counts.refused > 3_000, JSON.stringify(counts))
})

/** Random JSON with every kind of white space, number, string and nesting. */
function document(random: Random, depth: number): string {
  const space = (): string => random.pick(['', '', '', ' ', '\n', '\t', '\r\n', '  '])
  const items = (item: () => string): string =>
    Array.from({ length: random.int(0, 4) }, () => space() + item() + space()).join(',') || space()
  const value = (): string => document(random, depth + 1)
  const what = random.int(0, depth > 4 ? 5 : 9)
  if (what <= 1) return string(random)
  if (what <= 3) return random.pick(NUMBERS)(random)
  if (what <= 5) return random.pick(['true', 'false', 'null'])
  return what <= 7 ? `[${items(value)}]` : `{${items(() => `${string(random)}${space()}:${space()}${value()}`)}}`
}

function string(random: Random): string {
  const pieces = [
    'a',
    'kind',
    '\\n',
    '\\"',
    '\\\\',
    '\\/',
    '\\u00e9',
    '\\uD83D\\ude42',
    'é',
    '🙂',
    '\u2028',
    '\u007f',
    ' ',
    '__proto__',
    '\\u0000',
  ]
  return `"${Array.from({ length: random.int(0, 4) }, () => random.pick(pieces)).join('')}"`
}

function damaged(random: Random, text: string): string {
  const at = random.int(0, text.length)
  const rest = text.slice(at)
  const cut = random.pick([rest, rest.slice(1), ''])
  return (
    text.slice(0, at) + random.pick(['', ',', '"', '}', ']', '\\', '0', '.', 'e', '-', ' ', '\u0001', 'x', ':']) + cut
  )
}

type Tried = { readonly ok: true; readonly value: unknown } | { readonly ok: false }

function tried(act: () => unknown): Tried {
  try {
    return { ok: true, value: act() }
  } catch {
    return { ok: false }
  }
}

/** Equality of two values, except that JSON.parse rounds integers. */
function same(exact: ExactValue, native: unknown): boolean {
  if (typeof exact === 'bigint') return Object.is(Number(exact), native)
  if (Array.isArray(exact))
    return (
      Array.isArray(native) &&
      exact.length === native.length &&
      exact.every((item, at) => same(item as ExactValue, native[at]))
    )
  if (!isExactObject(exact)) return Object.is(exact, native)
  const names = Object.keys(exact)
  return (
    names.join() === Object.keys(native as object).join() &&
    names.every(name => same(exact[name]!, (native as Record<string, unknown>)[name]))
  )
}
