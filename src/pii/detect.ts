/** Finds personal data and tokens in texts, by the rules of secretlint and those of `rules.ts`. */

import { matchRules, type PiiFinding } from './rules.js'

/** Joins texts for secretlint. No rule matches across a blank line except that of a private key, which is cut there. */
const BETWEEN = '\n\n'

/** @returns the findings of each text, in order and without overlaps */
export async function findPersonalData(texts: readonly string[]): Promise<readonly (readonly PiiFinding[])[]> {
  const tokens = await lint(texts)
  return texts.map((text, index) => merged([...matchRules(text), ...tokens[index]!]))
}

/** The findings of secretlint. One call takes about as long for a thousand short texts as for one. */
async function lint(texts: readonly string[]): Promise<readonly (readonly PiiFinding[])[]> {
  const [{ lintSource }, { creator }] = await Promise.all([
    import('@secretlint/core'),
    import('@secretlint/secretlint-rule-preset-recommend'),
  ])
  const { messages } = await lintSource({
    source: { content: texts.join(BETWEEN), filePath: 'text', ext: '', contentType: 'text' },
    options: { config: { rules: [{ id: 'preset', rule: creator, options: {} }] }, noPhysicFilePath: true },
  })
  const found = texts.map((): PiiFinding[] => [])
  const starts: number[] = []
  texts.reduce((start, text) => {
    starts.push(start)
    return start + text.length + BETWEEN.length
  }, 0)
  for (const { ruleId, range } of messages) {
    const index = starts.findLastIndex(start => start <= range[0])
    const length = texts[index]!.length
    const [start, end] = range.map(at => Math.min(at - starts[index]!, length)) as [number, number]
    if (start < end) found[index]!.push({ rule: ruleId.replace(/^.*secretlint-rule-/, ''), start, end })
  }
  return found
}

/** Overlapping findings become one, with the rule of the longest. */
function merged(findings: readonly PiiFinding[]): readonly PiiFinding[] {
  const result: PiiFinding[] = []
  for (const finding of [...findings].sort((a, b) => a.start - b.start || b.end - a.end)) {
    const last = result.at(-1)
    if (last === undefined || finding.start >= last.end) result.push(finding)
    else result[result.length - 1] = joined(last, finding)
  }
  return result
}

function joined(one: PiiFinding, other: PiiFinding): PiiFinding {
  const { rule } = other.end - other.start > one.end - one.start ? other : one
  return { rule, start: one.start, end: Math.max(one.end, other.end) }
}
