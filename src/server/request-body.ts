/** Reads bodies other than envelopes: limited in size, and read only when the headers are acceptable. */

import type { FastifyRequest } from 'fastify'
import { IngestError } from '../errors.js'
import { BUSY } from './answer.js'
import { checkBodyHeaders, receiveBody, type Body } from './receive-body.js'
import type { OperatorAnswer, OperatorLimits } from './operator/operator-route.js'

/** Limit for JSON bodies, which hold only short texts. */
const MAX_JSON_BYTES = 64 * 1024

export type BodyOptions = OperatorLimits & { readonly onBodyWanted: () => void }

const TOO_LARGE: OperatorAnswer = { status: 413, body: { error: 'body_too_large' } }
const TIMEOUT: OperatorAnswer = { status: 408, body: { error: 'timeout' } }
const REFUSALS: Readonly<Record<string, OperatorAnswer>> = { too_large: TOO_LARGE, busy: BUSY }
const UNSUPPORTED: OperatorAnswer = { status: 415, body: { error: 'unsupported_media_type' } }

/**
 * Receives an uncompressed body of any type and passes it to `work`.
 * @param work receives the body, which is released when `work` is done
 */
export async function withBody(
  { raw }: FastifyRequest,
  { maxBodyBytes, stallMs, budgets, onBodyWanted }: BodyOptions,
  work: (body: Body) => Promise<OperatorAnswer>,
): Promise<OperatorAnswer> {
  const { 'content-encoding': encoding = 'identity', 'content-length': length = '0' } = raw.headers
  if (encoding.trim().toLowerCase() !== 'identity') return UNSUPPORTED
  if (Number(length) > maxBodyBytes) return TOO_LARGE
  onBodyWanted()
  const received = await receiveBody(raw, { gzip: false, maxBytes: maxBodyBytes, stallMs, budgets })
  if (!received.ok) return REFUSALS[received.reason] ?? TIMEOUT
  try {
    return await work(received.body)
  } finally {
    await received.body.release()
  }
}

/** The bytes of a body. */
export async function readBytes(body: Body): Promise<Buffer> {
  // `bytes` appends a line feed, which is cut off here.
  return (await body.bytes()).subarray(0, body.length)
}

/** @param names the fields that the body must have, all of them strings, and no others */
export async function withFields<Name extends string>(
  request: FastifyRequest,
  names: readonly Name[],
  options: BodyOptions,
  work: (fields: Readonly<Record<Name, string>>) => Promise<OperatorAnswer>,
): Promise<OperatorAnswer> {
  return withJson(request, options, async value => work(parseFields(value, names)))
}

/** Receives a JSON object of at most 64 KiB. */
export async function withJson(
  request: FastifyRequest,
  options: BodyOptions,
  work: (value: Readonly<Record<string, unknown>>) => Promise<OperatorAnswer>,
): Promise<OperatorAnswer> {
  const head = checkBodyHeaders(request.raw.headers, MAX_JSON_BYTES)
  if (!head.ok || head.gzip) return !head.ok && head.reason === 'too_large' ? TOO_LARGE : UNSUPPORTED
  const bounded = { ...options, maxBodyBytes: Math.min(options.maxBodyBytes, MAX_JSON_BYTES) }
  return withBody(request, bounded, async body => work(parsed(await readBytes(body))))
}

function parseFields<Name extends string>(
  value: Readonly<Record<string, unknown>>,
  names: readonly Name[],
): Readonly<Record<Name, string>> {
  const isWhole = names.every(name => typeof value[name] === 'string') && Object.keys(value).length === names.length
  if (!isWhole) throw new IngestError('usage', `the body must be an object with the strings ${names.join(' and ')}`)
  return value as Readonly<Record<Name, string>>
}

function parsed(bytes: Buffer): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(bytes.toString('utf8'))
    if (typeof value === 'object' && value !== null && !Array.isArray(value))
      return value as Readonly<Record<string, unknown>>
  } catch {
    // The error is thrown below.
  }
  throw new IngestError('usage', 'the body is not a JSON object')
}
