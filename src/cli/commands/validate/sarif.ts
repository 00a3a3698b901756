/** The result of `validate` as SARIF 2.1.0, which code scanning services read. */

import { pathToFileURL } from 'node:url'
import { isAbsolute } from 'node:path'
import { messageOf, exitCodeOf } from '../../../errors.js'
import { redact } from '../../../redact.js'
import { oneLine } from '../../../visible-text.js'
import type { Rejection, Warning, RejectionCode, WarningCode } from '../../../source/rejection.js'
import type { ValidateResult } from '../../../source/validate.js'
import type { TextSink } from '../../output/json-array-report.js'
import type { Printer } from './human.js'

const HEAD = '{"$schema":"https://json.schemastore.org/sarif-2.1.0.json","version":"2.1.0","runs":[{"results":['

type Level = 'error' | 'warning'

/** Prints each result as it comes. The rules and the exit code follow after them, because they are known only at the end. */
export class SarifPrinter implements Printer {
  #results = 0
  readonly #rules = new Map<RuleCode, Level>()

  constructor(
    private readonly to: TextSink,
    private readonly version: string,
  ) {}

  rejection({ byte, ...rejection }: Rejection): void {
    this.#result('error', rejection, { startLine: rejection.line, byteOffset: byte })
  }

  warning(warning: Warning): void {
    this.#result('warning', warning, warning.line === 0 ? undefined : { startLine: warning.line })
  }

  fail(error: unknown): void {
    const notification = { level: 'error', message: { text: oneLine(redact(messageOf(error))) } }
    this.#end({
      executionSuccessful: false,
      exitCode: exitCodeOf(error),
      toolExecutionNotifications: [notification],
    })
  }

  done({ files, stoppedEarly }: ValidateResult, exitCode: number): void {
    const versions = files.map(({ source, contractVersion }) => [uriOf(source), contractVersion] as const)
    const properties = { ...(stoppedEarly && { stoppedEarly }), contractVersions: Object.fromEntries(versions) }
    // The check itself succeeded, even if it rejected lines.
    this.#end({ executionSuccessful: true, exitCode, properties })
  }

  #result(level: Level, { source, pointer, code, message }: Omit<Warning, 'code'> & Found, region?: object): void {
    this.#rules.set(code, level)
    const location = {
      physicalLocation: { artifactLocation: { uri: uriOf(source) }, ...(region && { region }) },
      ...(pointer !== '' && { logicalLocations: [{ fullyQualifiedName: pointer, kind: 'value' }] }),
    }
    const result = { ruleId: code, level, message: { text: message }, locations: [location] }
    this.to.raw(`${this.#results++ === 0 ? HEAD : ','}\n${JSON.stringify(result)}`)
  }

  #end(invocation: object): void {
    const rules = [...this.#rules].map(([id, level]) => {
      return { id, shortDescription: { text: RULE_TEXTS[id] }, defaultConfiguration: { level } }
    })
    const driver = { name: 'vortex-ingest', semanticVersion: this.version, rules }
    const tail = JSON.stringify({ tool: { driver }, invocations: [invocation] }).slice(1)
    this.to.raw(`${this.#results === 0 ? HEAD : '\n'}],${tail}]}\n`)
  }
}

type Found = { readonly code: RuleCode }

/** The URI of a source. A relative path stays relative, which SARIF readers resolve against the checked-out repository. */
function uriOf(source: string): string {
  if (source === '-') return 'stdin'
  if (isAbsolute(source)) return pathToFileURL(source).href
  return source.replace(/^\.\//, '').split('/').map(encodeURIComponent).join('/')
}

type RuleCode = RejectionCode | WarningCode

const RULE_TEXTS: Readonly<Record<RuleCode, string>> = {
  not_object: 'A line must be one JSON object.',
  unknown_kind: 'A record must be of a kind that the contract names.',
  missing_field: 'A record must have every required field of its kind.',
  unknown_field: 'A record may have no field but those of its kind.',
  not_string: 'The field takes a string.',
  not_integer: 'The field takes an integer without fraction, exponent or quotes.',
  not_number: 'The field takes a number.',
  not_array: 'The field takes an array of integers.',
  out_of_range: 'The integer must fit into the bits of its field.',
  commit_mismatch: 'Every record must name the commit of the push.',
  not_full_sha: 'A commit id must be 40 lowercase hex digits.',
  bad_value: 'The field takes one of a few values.',
  partial_fields: 'The memory fields must all be there, or none of them.',
  nul_in_string: 'A string may not hold U+0000, which a database cannot store.',
  invalid_json: 'A line must be valid JSON.',
  number_out_of_range: 'A number must be within the range of a double.',
  lone_surrogate: 'A string may not hold half of a surrogate pair.',
  too_deep: 'A record may not be nested that deeply.',
  byte_order_mark: 'A line may not begin with a byte-order mark.',
  invalid_utf8: 'A line must be valid UTF-8.',
  line_too_long: 'A line may not be longer than the limit.',
  record_too_large: 'A record must fit into an envelope.',
  inexact_threshold: 'A server may read this threshold one unit off.',
  duplicate_id: 'A measurement should be in a file once; the last one wins.',
  empty_input: 'A file should hold records.',
  non_positive_value: 'A duration or size should be greater than 0.',
  no_runs: 'A duration should come with the runs it was computed from.',
  value_outside_runs: 'A duration should be between the shortest and the longest of its runs.',
  personal_data: 'A dimension holds personal data, which cannot be masked',
}
