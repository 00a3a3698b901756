/** Writes large objects of S3 in parts. An object appears when its upload is completed, and not before. */

import {
  AbortMultipartUploadCommand,
  CompleteMultipartUploadCommand,
  CreateMultipartUploadCommand,
  PutObjectCommand,
  UploadPartCommand,
  type CompletedPart,
} from '@aws-sdk/client-s3'
import type { S3Address } from '../address.js'
import { assertKey } from '../storage.js'
import { createS3Client, retryTransient } from './client.js'
import { s3Error } from './failure.js'

/** S3 takes at most 10,000 parts, each of at least 5 MiB but the last one. */
const PART_BYTES = 16 * 1024 * 1024

export interface ObjectUpload {
  write(bytes: Uint8Array): Promise<void>
  /** Makes the object appear, in place of an earlier one. */
  complete(): Promise<void>
  /** Deletes the parts of an upload that is not completed. */
  abort(): Promise<void>
}

export type ObjectUploads = {
  readonly start: (key: string) => ObjectUpload
  readonly close: () => void
}

/** Sends no request yet. The operations throw the errors of `Storage`. */
export function s3Uploads(address: S3Address): ObjectUploads {
  const { bucket, prefix } = address
  const client = createS3Client(address)
  // Each request may be repeated: an upload that was started twice leaves only one without parts.
  const send: Send = operation =>
    retryTransient(() => operation(client)).catch((error: unknown) => {
      throw s3Error(`s3://${bucket}`, error)
    })
  const start = (key: string): ObjectUpload => {
    assertKey(key)
    return new MultipartUpload(send, { Bucket: bucket, Key: prefix === '' ? key : `${prefix}/${key}` })
  }
  return { start, close: () => client.destroy() }
}

type Send = <T>(operation: (client: ReturnType<typeof createS3Client>) => Promise<T>) => Promise<T>

class MultipartUpload implements ObjectUpload {
  #pending: Uint8Array[] = []
  #pendingBytes = 0
  #uploadId: string | undefined
  readonly #parts: CompletedPart[] = []

  constructor(
    private readonly send: Send,
    private readonly location: { readonly Bucket: string; readonly Key: string },
  ) {}

  async write(bytes: Uint8Array): Promise<void> {
    this.#pending.push(bytes)
    this.#pendingBytes += bytes.length
    if (this.#pendingBytes >= PART_BYTES) await this.#sendPart()
  }

  async complete(): Promise<void> {
    if (this.#uploadId === undefined) {
      const Body = this.#takePending()
      await this.send(client => client.send(new PutObjectCommand({ ...this.location, Body })))
      return
    }
    if (this.#pendingBytes > 0) await this.#sendPart()
    const upload = { ...this.location, UploadId: this.#uploadId, MultipartUpload: { Parts: this.#parts } }
    await this.send(client => client.send(new CompleteMultipartUploadCommand(upload)))
    this.#uploadId = undefined
  }

  async abort(): Promise<void> {
    if (this.#uploadId === undefined) return
    const upload = { ...this.location, UploadId: this.#uploadId }
    this.#uploadId = undefined
    // The bucket deletes parts by its own rules, so a failure is not worth an error.
    await this.send(client => client.send(new AbortMultipartUploadCommand(upload))).catch(() => undefined)
  }

  async #sendPart(): Promise<void> {
    const started = this.#uploadId ?? (await this.#create())
    this.#uploadId = started
    const PartNumber = this.#parts.length + 1
    const part = { ...this.location, UploadId: started, PartNumber, Body: this.#takePending() }
    const { ETag } = await this.send(client => client.send(new UploadPartCommand(part)))
    this.#parts.push({ ETag, PartNumber })
  }

  async #create(): Promise<string> {
    const { UploadId = '' } = await this.send(client => client.send(new CreateMultipartUploadCommand(this.location)))
    return UploadId
  }

  #takePending(): Buffer {
    const bytes = Buffer.concat(this.#pending)
    this.#pending = []
    this.#pendingBytes = 0
    return bytes
  }
}
