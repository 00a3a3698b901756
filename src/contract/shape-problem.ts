/** Converts an ajv error to a Problem with a readable message. */

import type { ErrorObject } from 'ajv'
import { isExactObject, realText, type ExactValue } from './exact-value.js'
import { pointerTo, quote, type Problem } from './problem.js'
import { nearest } from '../nearest.js'
import { CONTRACT, type Field, type FieldType } from './kinds.js'

/**
 * Converts an ajv error to a Problem.
 * @param value the validated value, parts of which the message shows
 * @param tokenAt returns the number at a JSON pointer as it was written. Default: the shortest text of its double
 */
export function shapeProblem(error: ErrorObject, value: ExactValue, tokenAt?: TokenAt): Problem {
  const { instancePath: path, params } = error
  const pointer = path === '' ? 'the record' : path
  switch (error.keyword) {
    case 'required':
      return missing(path, String(params['missingProperty']), value)
    case 'additionalProperties':
      return unknown(path, String(params['additionalProperty']), value)
    case 'token':
      return badToken(path, { value, tokenAt })
    default: {
      const wanted = [params['type']].flat().join(' or ')
      const code = wanted.startsWith('array') ? 'not_array' : wanted.startsWith('object') ? 'not_object' : 'not_string'
      const article = /^[aeiou]/.test(wanted) ? 'an' : 'a'
      return {
        pointer: path,
        code,
        message: `${pointer} must be ${article} ${wanted}, got ${describeAt(path, { value, tokenAt })}`,
      }
    }
  }
}

function missing(path: string, name: string, value: ExactValue): Problem {
  const pointer = path + pointerTo(name)
  const since = addedIn(name, value)
  const why = since === undefined ? '' : ` (required since contract version ${since})`
  const typo = nearest(name, otherNames(value))
  const meant = typo === undefined ? '' : `; is ${quote(path + pointerTo(typo))} meant to be it?`
  return { pointer, code: 'missing_field', message: `${pointer} is missing${why}${meant}` }
}

function unknown(path: string, name: string, value: ExactValue): Problem {
  const pointer = path + pointerTo(name)
  const since = addedIn(name, value)
  const why = since === undefined ? '' : ` before contract version ${since}`
  const meant = name.length > MAX_NAME ? undefined : nearest(name, absentNames(value))
  const question = meant === undefined ? '' : `; is ${path}${pointerTo(meant)} meant?`
  return { pointer, code: 'unknown_field', message: `${quote(pointer)} is not a field of this kind${why}${question}` }
}

/** Longer names are not compared, because comparing takes quadratic time. */
const MAX_NAME = 64
/** Number of unknown fields that are compared with a missing one. */
const MAX_NAMES = 20

/** Names of the fields of a record that its kind does not have. */
function otherNames(value: ExactValue): readonly string[] {
  const names = isExactObject(value) ? Object.keys(value) : []
  const unknown = names.filter(name => name !== 'kind' && findField(value, name) === undefined)
  return unknown.filter(name => name.length <= MAX_NAME).slice(0, MAX_NAMES)
}

/** Names of the fields of a kind that a record does not have. */
function absentNames(value: ExactValue): readonly string[] {
  if (!isExactObject(value)) return []
  const kind = CONTRACT.kinds.find(({ kind: name }) => name === value['kind'])
  return (kind?.fields ?? []).map(({ name }) => name).filter(name => !(name in value))
}

/** The contract version that added a field to the kind of a record; undefined for fields of version 1 and unknown names. */
function addedIn(name: string, value: ExactValue): number | undefined {
  const since = findField(value, name)?.since ?? 1
  return since === 1 ? undefined : since
}

function badToken(pointer: string, { value, tokenAt }: Written): Problem {
  const type = typeAt(value, pointer)
  const got = describeAt(pointer, { value, tokenAt })
  if (type === 'f64') return { pointer, code: 'not_number', message: `${pointer} must be a number, got ${got}` }
  if (typeof valueAtPointer(value, pointer) === 'bigint') {
    const bits = type === 'i32' ? 32 : 64
    return { pointer, code: 'out_of_range', message: `${pointer} must fit in ${bits} bits, got ${got}` }
  }
  return { pointer, code: 'not_integer', message: `${pointer} must be an integer, got ${got}` }
}

export type TokenAt = (pointer: string) => string | undefined

/** A value, and how its numbers were written. */
type Written = { readonly value: ExactValue; readonly tokenAt?: TokenAt | undefined }

/** Describes a part of a value briefly for a message, numbers as they were written. */
export function describeAt(pointer: string, { value, tokenAt }: Written): string {
  const found = valueAtPointer(value, pointer)
  return describe(found, typeof found === 'number' ? tokenAt?.(pointer) : undefined)
}

/** Describes an external value briefly for a message, with its type where the text alone could mislead. */
export function describe(value: ExactValue | undefined, token?: string): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return value.toString().slice(0, 40)
  if (typeof value === 'number')
    return `${(token ?? realText(value)).slice(0, 40)} (written with a fraction, an exponent or as -0)`
  return Array.isArray(value) ? 'an array' : 'an object'
}

/** @returns undefined when nothing is there */
export function valueAtPointer(value: ExactValue, pointer: string): ExactValue | undefined {
  let at: ExactValue | undefined = value
  for (const step of pointer.split('/').slice(1)) {
    const name = step.replace(/~1/g, '/').replace(/~0/g, '~')
    if (Array.isArray(at)) at = (at as readonly ExactValue[])[Number(name)]
    else at = isExactObject(at) ? at[name] : undefined
  }
  return at
}

/**
 * The contract's type of the field at `pointer`, which ajv does not report. The only number outside records is an i32.
 */
function typeAt(value: ExactValue, pointer: string): FieldType {
  return findField(value, pointer.split('/')[1] ?? '')?.type ?? 'i32'
}

function findField(value: ExactValue, name: string): Field | undefined {
  const kindName = isExactObject(value) ? value['kind'] : undefined
  return CONTRACT.kinds.find(({ kind }) => kind === kindName)?.fields.find(field => field.name === name)
}
