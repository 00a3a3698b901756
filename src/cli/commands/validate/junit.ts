/**
 * The result of `validate` as JUnit XML, with one suite per file and one failed case per listed rejection. A suite states its number
 * of cases at its start. One additional case per file counts the rejected lines that are not listed.
 */

import { messageOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import { visibleLines } from '../../../visible-text.js'
import type { Rejection } from '../../../source/rejection.js'
import type { ValidatedFile, ValidateResult } from '../../../source/validate.js'
import type { TextSink } from '../../output/json-array-report.js'
import { plural, rejectionLine, warningLine } from '../../output/report.js'
import type { Printer } from './human.js'

const DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n'
const NAME = 'vortex-ingest validate'

export class JunitPrinter implements Printer {
  constructor(private readonly to: TextSink) {}

  fail(error: unknown): void {
    const message = redact(messageOf(error))
    const failed = element('error', { message }, xmlText(message))
    const one = element('testcase', { name: 'the check itself', classname: NAME }, failed)
    this.#print({ tests: 1, failures: 0, errors: 1 }, [
      element('testsuite', { name: NAME, tests: 1, failures: 0, errors: 1 }, one),
    ])
  }

  done(result: ValidateResult): void {
    const suites = result.files.map(file => suiteOf(file, result))
    const sum = (of: (suite: Suite) => number): number => suites.reduce((all, suite) => all + of(suite), 0)
    const counts = { tests: sum(suite => suite.tests), failures: sum(suite => suite.failures), errors: 0 }
    this.#print(
      counts,
      suites.map(({ text }) => text),
    )
  }

  #print(counts: Readonly<Record<string, number>>, suites: readonly string[]): void {
    this.to.raw(`${DECLARATION}${element('testsuites', { name: NAME, ...counts }, suites.join(''))}`)
  }
}

type Suite = { readonly tests: number; readonly failures: number; readonly text: string }

function suiteOf(file: ValidatedFile, { rejections, warnings }: ValidateResult): Suite {
  const { source, records, rejected } = file
  const cases = rejections.filter(rejection => rejection.source === source).map(caseOf)
  if (rejected > cases.length) cases.push(restOf(source, rejected - cases.length))
  const failures = cases.length
  if (records > 0 || failures === 0)
    cases.push(element('testcase', { name: `${plural(records, 'valid record')}`, classname: source }))
  const lines = warnings.filter(warning => warning.source === source).map(warningLine)
  const output = lines.length === 0 ? [] : [element('system-out', {}, xmlText(lines.join('\n')))]
  const attributes = { name: source, tests: cases.length, failures, errors: 0, skipped: 0 }
  return {
    tests: cases.length,
    failures,
    text: element('testsuite', attributes, [propertiesOf(file), ...cases, ...output].join('')),
  }
}

/** The contract version of a file as a JUnit property of its suite. */
function propertiesOf({ contractVersion: version }: ValidatedFile): string {
  if (version === undefined) return ''
  return element('properties', {}, element('property', { name: 'contract_version', value: version }))
}

function caseOf(rejection: Rejection): string {
  const { source, line, pointer, code, message } = rejection
  const failure = element('failure', { type: code, message }, xmlText(rejectionLine(rejection)))
  return element('testcase', { name: `line ${line}${pointer === '' ? '' : ` ${pointer}`}`, classname: source }, failure)
}

function restOf(source: string, count: number): string {
  const message = `${plural(count, 'more rejected line')}; --format json lists all of them`
  const failure = element('failure', { type: 'more', message }, xmlText(message))
  return element('testcase', { name: 'and more', classname: source }, failure)
}

function element(name: string, attributes: Readonly<Record<string, string | number>>, content = ''): string {
  const head = `${name}${xmlAttributes(attributes)}`
  return content === '' ? `<${head}/>\n` : `<${head}>${content}</${name}>\n`
}

const ENTITIES: Readonly<Record<string, string>> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }

/** Characters that XML 1.0 cannot represent, not even as an entity. */
const IMPOSSIBLE = /[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\u{10000}-\u{10ffff}]/gu

/** Escapes `text` for an element or an attribute. Characters that XML cannot represent become U+FFFD, other invisible ones their escapes. */
function xmlText(text: string): string {
  return visibleLines(text.replace(IMPOSSIBLE, '\ufffd'))
    .replace(/[&<>"]/g, character => ENTITIES[character] ?? '')
    .replace(/[\t\n\r]/g, character => `&#${character.charCodeAt(0)};`)
}

/** Formats each attribute as ` name="value"`. */
function xmlAttributes(attributes: Readonly<Record<string, string | number>>): string {
  return Object.entries(attributes)
    .map(([name, value]) => ` ${name}="${xmlText(String(value))}"`)
    .join('')
}
