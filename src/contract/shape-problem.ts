/** Converts an ajv error to a Problem with a readable message. */

import type { ErrorObject } from 'ajv'
import { isExactObject, realText, type ExactValue } from './exact-value.js'
import { pointerTo, quote, type Problem } from './problem.js'
import { CONTRACT, type Field, type FieldType } from './kinds.js'

/**
 * Converts an ajv error to a Problem.
 * @param value the validated value, parts of which the message shows
 */
export function shapeProblem(error: ErrorObject, value: ExactValue): Problem {
  const { instancePath: path, params } = error
  const pointer = path === '' ? 'the record' : path
  switch (error.keyword) {
    case 'required':
      return missing(path, String(params['missingProperty']), value)
    case 'additionalProperties':
      return unknown(path, String(params['additionalProperty']), value)
    case 'token':
      return badToken(path, typeAt(value, path), valueAt(value, path))
    default: {
      const wanted = [params['type']].flat().join(' or ')
      const code = wanted.startsWith('array') ? 'not_array' : wanted.startsWith('object') ? 'not_object' : 'not_string'
      const article = /^[aeiou]/.test(wanted) ? 'an' : 'a'
      return {
        pointer: path,
        code,
        message: `${pointer} must be ${article} ${wanted}, got ${describe(valueAt(value, path))}`,
      }
    }
  }
}

function missing(path: string, name: string, value: ExactValue): Problem {
  const pointer = path + pointerTo(name)
  const since = addedIn(name, value)
  const why = since === undefined ? '' : ` (required since contract version ${since})`
  return { pointer, code: 'missing_field', message: `${pointer} is missing${why}` }
}

function unknown(path: string, name: string, value: ExactValue): Problem {
  const pointer = path + pointerTo(name)
  const since = addedIn(name, value)
  const why = since === undefined ? '' : ` before contract version ${since}`
  return { pointer, code: 'unknown_field', message: `${quote(pointer)} is not a field of this kind${why}` }
}

/** The contract version that added a field to the kind of a record; undefined for fields of version 1 and unknown names. */
function addedIn(name: string, value: ExactValue): number | undefined {
  const since = findField(value, name)?.since ?? 1
  return since === 1 ? undefined : since
}

function badToken(pointer: string, type: FieldType, value: ExactValue | undefined): Problem {
  const got = describe(value)
  if (type === 'f64') return { pointer, code: 'not_number', message: `${pointer} must be a number, got ${got}` }
  if (typeof value === 'bigint') {
    const bits = type === 'i32' ? 32 : 64
    return { pointer, code: 'out_of_range', message: `${pointer} must fit in ${bits} bits, got ${got}` }
  }
  return { pointer, code: 'not_integer', message: `${pointer} must be an integer, got ${got}` }
}

/** Describes an external value briefly for a message, with its type where the text alone could mislead. */
export function describe(value: ExactValue | undefined): string {
  if (value === undefined) return 'nothing'
  if (value === null || typeof value === 'boolean') return String(value)
  if (typeof value === 'string') return quote(value)
  if (typeof value === 'bigint') return value.toString().slice(0, 40)
  if (typeof value === 'number') return `${realText(value)} (written with a fraction, an exponent or as -0)`
  return Array.isArray(value) ? 'an array' : 'an object'
}

function valueAt(value: ExactValue, pointer: string): ExactValue | undefined {
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
