/** The output of `validate` for other programs: SARIF and JUnit XML. */

import t from 'tap'
import { runCli } from '../fixtures/cli.js'
import { jsonl, query, search, size, time, token } from '../fixtures/records.js'
import { readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import Ajv04 from 'ajv-draft-04'
import addFormats from 'ajv-formats'
import { XMLParser, XMLValidator } from 'fast-xml-parser'

const RULES: Readonly<Record<string, Rule>> = {
  testsuites: { required: [], optional: ['name', 'time', 'tests', 'failures', 'errors'], children: ['testsuite'] },
  testsuite: {
    required: ['name', 'tests', 'failures', 'errors'],
    optional: ['skipped', 'time', 'timestamp', 'hostname', 'id', 'package', 'file'],
    children: ['testcase', 'properties', 'system-out', 'system-err'],
  },
  testcase: {
    required: ['name'],
    optional: ['classname', 'time', 'group'],
    children: ['failure', 'error', 'skipped', 'system-out', 'system-err'],
  },
  failure: { required: [], optional: ['type', 'message'], children: [] },
  error: { required: [], optional: ['type', 'message'], children: [] },
  properties: { required: [], optional: [], children: ['property'] },
  property: { required: ['name', 'value'], optional: [], children: [] },
  'system-out': { required: [], optional: [], children: [] },
}

const SCHEMA = createRequire(import.meta.url).resolve('@microsoft/jest-sarif/lib/schemas/sarif-2.1.0-rtm.5.json')

/** Characters with a special meaning in XML, or not allowed there. */
const EVIL = `<&]]>'\\u0001`

t.test('SARIF names rule, file, line and pointer of every rejection and warning', async t => {
  const lines = [query(), query({ value_ns: token('1.5') }), '{"kind":', size(), size()]
  const cwd = t.testdir({ 'a b#.jsonl': jsonl(lines), 'empty.jsonl': '' })
  const { code, stdout, stderr } = await runCli(['validate', '*.jsonl', '--format', 'sarif'], { cwd })
  t.equal(code, 65)
  t.equal(stderr, '')
  const { errors, run } = readSarif(stdout)
  t.strictSame(errors, [])
  t.strictSame(
    run.results.map(({ ruleId, level, locations: [at] }) => {
      return [ruleId, level, at?.physicalLocation, at?.logicalLocations?.length ?? 0]
    }),
    [
      ['not_integer', 'error', place('a%20b%23.jsonl', { startLine: 2, byteOffset: lines[0]!.length + 1 }), 1],
      [
        'invalid_json',
        'error',
        place('a%20b%23.jsonl', { startLine: 3, byteOffset: jsonl(lines.slice(0, 2)).length }),
        0,
      ],
      ['duplicate_id', 'warning', place('a%20b%23.jsonl', { startLine: 5 }), 0],
      ['empty_input', 'warning', { artifactLocation: { uri: 'empty.jsonl' } }, 0],
    ],
  )
  t.strictSame(
    run.tool.driver.rules.map(({ id }) => id),
    ['not_integer', 'invalid_json', 'duplicate_id', 'empty_input'],
  )
  const properties = { contractVersions: { 'a%20b%23.jsonl': 1 } }
  t.strictSame(run.invocations, [{ executionSuccessful: true, exitCode: 65, properties }])
})

function place(uri: string, region: object): object {
  return { artifactLocation: { uri }, region }
}

t.test('SARIF without a finding has no result; of standard input, of an absolute path it is valid too', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n' })
  const good = await runCli(['validate', '--format', 'sarif'], { stdin: jsonl([query(), time()]) })
  t.equal(good.code, 0)
  t.strictSame([readSarif(good.stdout).errors, readSarif(good.stdout).run.results], [[], []])
  for (const [args, stdin, uri] of [
    [['-'], '{}', /^stdin$/],
    [[`${cwd}/bad.jsonl`], '', /^file:\/\/\/.*\/bad\.jsonl$/],
  ] as const) {
    const { stdout } = await runCli(['validate', ...args, '--format', 'sarif'], { stdin })
    const { errors, run } = readSarif(stdout)
    t.strictSame(errors, [])
    t.match(run.results[0]?.locations[0]?.physicalLocation.artifactLocation.uri, uri)
  }
})

t.test('a check that cannot end says so in SARIF and in JUnit XML, and in its exit code', async t => {
  const cwd = t.testdir({})
  const sarif = await runCli(['validate', 'none.jsonl', '--format', 'sarif'], { cwd })
  t.equal(sarif.code, 66)
  const { errors, run } = readSarif(sarif.stdout)
  t.strictSame(errors, [])
  t.match(run.invocations, [{ executionSuccessful: false, exitCode: 66 }])
  t.match(run.invocations[0]?.toolExecutionNotifications, [{ message: { text: 'none.jsonl: no such file' } }])

  const junit = await runCli(['validate', 'none.jsonl', '--format', 'junit'], { cwd })
  t.equal(junit.code, 66)
  const root = readJunit(junit.stdout)
  t.strictSame(junitErrors(root), [])
  t.equal(casesOf(root)[0]?.children[0]?.name, 'error')
})

t.test('JUnit XML has a suite a file and a failed case a rejected line', async t => {
  const cwd = t.testdir({
    'bad.jsonl': jsonl([query(), query({ storage: 'gcs' }), `{"kind":"${EVIL}"}`, size(), size()]),
    'good.jsonl': jsonl([search()]),
    'empty.jsonl': '',
  })
  const { code, stdout, stderr } = await runCli(['validate', '*.jsonl', '--format', 'junit'], { cwd })
  t.equal(code, 65)
  t.equal(stderr, '')
  const root = readJunit(stdout)
  t.strictSame(junitErrors(root), [])
  t.strictSame(
    root.children.map(suite => [suite.attributes['name'], casesOf(suite).map(one => one.attributes['name'])]),
    [
      ['bad.jsonl', ['line 2 /storage', 'line 3 /kind', '3 valid records']],
      ['empty.jsonl', ['0 valid records']],
      ['good.jsonl', ['1 valid record']],
    ],
  )
  const [storage, kind] = casesOf(root).map(one => one.children[0])
  t.match(storage?.attributes, { type: 'bad_value', message: /^\/storage must be/ })
  t.match(kind?.text, `got "${EVIL}"`)
  t.match(root.children[0]?.children.at(-1), { name: 'system-out', text: /duplicate_id/ })
})

t.test('of very many rejections JUnit XML has the first 1,000 and a case that counts the rest', async t => {
  const cwd = t.testdir({ 'bad.jsonl': '{}\n'.repeat(5_000) })
  const { stdout } = await runCli(['validate', 'bad.jsonl', '--format', 'junit'], { cwd })
  const root = readJunit(stdout)
  t.strictSame(junitErrors(root), [])
  t.equal(casesOf(root).length, 1_001)
  t.match(casesOf(root).at(-1)?.children[0]?.attributes['message'], '4,000 more rejected lines')
})

type SarifResult = {
  readonly ruleId: string
  readonly level: string
  readonly message: { readonly text: string }
  readonly locations: readonly {
    readonly physicalLocation: { readonly artifactLocation: { readonly uri: string }; readonly region?: object }
    readonly logicalLocations?: readonly object[]
  }[]
}

type SarifRun = {
  readonly results: readonly SarifResult[]
  readonly tool: { readonly driver: { readonly rules: readonly { readonly id: string }[] } }
  readonly invocations: readonly {
    readonly executionSuccessful: boolean
    readonly exitCode: number
    readonly toolExecutionNotifications?: readonly object[]
  }[]
}

/** @returns what the schema refuses, and the only run */
function readSarif(stdout: string): { readonly errors: readonly unknown[]; readonly run: SarifRun } {
  const ajv = new Ajv04.default({ allErrors: true, strict: false, unicodeRegExp: false })
  addFormats.default(ajv)
  const validate = ajv.compile(JSON.parse(readFileSync(SCHEMA, 'utf8')) as object)
  const log = JSON.parse(stdout) as { readonly runs: readonly SarifRun[] }
  const errors = validate(log) ? [] : (validate.errors ?? [])
  return { errors, run: log.runs[0]! }
}

type XmlElement = {
  readonly name: string
  readonly attributes: Readonly<Record<string, string>>
  readonly children: readonly XmlElement[]
  readonly text: string
}

type Rule = {
  readonly required: readonly string[]
  readonly optional: readonly string[]
  readonly children: readonly string[]
}

/** @throws {Error} when it is not well-formed, or not one document of `testsuites` */
function readJunit(stdout: string): XmlElement {
  const wellFormed = XMLValidator.validate(stdout)
  if (wellFormed !== true) throw new Error(wellFormed.err.msg)
  const options = { preserveOrder: true, ignoreAttributes: false, attributeNamePrefix: '', parseAttributeValue: false }
  const nodes = new XMLParser({ ...options, parseTagValue: false, htmlEntities: true }).parse(stdout) as Node[]
  const [root, ...others] = elementsOf(nodes)
  if (root?.name !== 'testsuites' || others.length > 0) throw new Error('not one testsuites element')
  return root
}

type Node = { readonly ':@'?: Readonly<Record<string, string>> } & Readonly<Record<string, unknown>>

function elementsOf(nodes: readonly Node[]): XmlElement[] {
  return nodes.flatMap(node => {
    const name = Object.keys(node).find(key => key !== ':@') ?? ''
    if (name === '#text' || name.startsWith('?')) return []
    const content = node[name] as readonly Node[]
    const text = content.map(child => (child['#text'] as string | undefined) ?? '').join('')
    return [{ name, attributes: node[':@'] ?? {}, children: elementsOf(content), text }]
  })
}

/** @returns what of the element and everything in it the schemas refuse, and counts that are not so */
function junitErrors(element: XmlElement): string[] {
  const { name, attributes, children } = element
  const rule = RULES[name]
  if (rule === undefined) return [`<${name}>`]
  const missing = rule.required.filter(attribute => !(attribute in attributes))
  const unknown = Object.keys(attributes).filter(one => ![...rule.required, ...rule.optional].includes(one))
  const strange = children.filter(child => !rule.children.includes(child.name)).map(child => child.name)
  return [
    ...[...missing, ...unknown, ...strange].map(what => `<${name}>: ${what}`),
    ...miscounted(element),
    ...children.flatMap(junitErrors),
  ]
}

function miscounted(element: XmlElement): readonly string[] {
  const { attributes } = element
  const cases = casesOf(element)
  const having = (child: string): number => cases.filter(one => one.children.some(({ name }) => name === child)).length
  const counts = { tests: cases.length, failures: having('failure'), errors: having('error') }
  return Object.entries(counts)
    .filter(([name, count]) => name in attributes && attributes[name] !== String(count))
    .map(([name, count]) => `<${element.name}>: ${name} is ${attributes[name]} of ${count}`)
}

function casesOf({ name, children }: XmlElement): readonly XmlElement[] {
  if (name === 'testsuites') return children.flatMap(casesOf)
  return name === 'testsuite' ? children.filter(child => child.name === 'testcase') : []
}
