/** Destinations of an export. What is written appears at the end, complete, or not at all. */

import type { ExportFile } from '../../../delivery/export/export-records.js'
import { IngestError } from '../../../errors.js'
import { parseStorageAddress, type S3Address } from '../../../storage/address.js'
import { openBucketStorage } from '../../../storage/open-storage.js'
import { OutputFile } from '../../output/output-file.js'
import { OutputFolder } from '../../output/output-folder.js'
import type { Report } from '../../output/report.js'

export type Destination = {
  /** @param name of the file, without its extension. A destination for one file has its own name */
  readonly create: (name: string) => Promise<ExportFile>
  /** Makes the files appear. */
  readonly publish: () => Promise<void>
  /** Deletes what was not published. */
  readonly discard: () => Promise<void>
}

export type DestinationOptions = {
  readonly extension: string
  /** Whether the export is one file. Otherwise the destination is a folder, or the prefix of keys. */
  readonly isOneFile: boolean
}

/** @throws {IngestError} `usage`, `config_invalid`, `already_exists`, before anything is read */
export async function openDestination(output: string, options: DestinationOptions): Promise<Destination> {
  if (output.startsWith('s3://')) return openS3(output, options)
  return options.isOneFile ? singleFile(output) : folder(output, options)
}

export function standardOutput(report: Report): Destination {
  const create = async (): Promise<ExportFile> => ({
    write: bytes => report.raw(bytes),
    get isClosed() {
      return report.closed
    },
  })
  const nothing = (): Promise<void> => Promise.resolve()
  return { create, publish: nothing, discard: nothing }
}

const WHAT = 'the records'

function singleFile(path: string): Destination {
  const file = new OutputFile(path, { what: WHAT, inputs: [], failureCode: 'storage_failed' })
  return {
    create: async () => ({ write: bytes => file.raw(bytes) }),
    publish: async () => file.publish(),
    discard: async () => file.discard(),
  }
}

function folder(path: string, { extension }: DestinationOptions): Destination {
  const files = new OutputFolder(path, WHAT)
  return {
    create: async name => files.create(`${name}.${extension}`),
    publish: async () => files.publish(),
    discard: async () => files.discard(),
  }
}

/** Tells programs that read the prefix that all objects are there. */
const COMPLETE = '_SUCCESS'

async function openS3(output: string, { extension, isOneFile }: DestinationOptions): Promise<Destination> {
  const address = parseStorageAddress(output) as S3Address
  const { s3Uploads } = await import('../../../storage/s3/upload.js')
  const { parent, name } = isOneFile ? splitKey(address, output) : { parent: address, name: undefined }
  if (name === undefined) await assertEmpty(address)
  const bucket = s3Uploads(parent)
  const uploads: ReturnType<typeof bucket.start>[] = []
  return {
    async create(table) {
      const upload = bucket.start(name ?? `${table}.${extension}`)
      uploads.push(upload)
      return upload
    },
    async publish() {
      for (const upload of uploads) await upload.complete()
      if (name === undefined) await bucket.start(COMPLETE).complete()
      bucket.close()
    },
    async discard() {
      for (const upload of uploads) await upload.abort()
      bucket.close()
    },
  }
}

function splitKey(address: S3Address, output: string): { readonly parent: S3Address; readonly name: string } {
  const parts = address.prefix.split('/')
  const name = parts.pop() ?? ''
  const isFolder = (output.split('?')[0] ?? '').endsWith('/')
  if (name !== '' && !isFolder) return { parent: { ...address, prefix: parts.join('/') }, name }
  throw new IngestError('usage', `--output ${output} names no object`, {
    hint: 'add the name of the object: s3://BUCKET/NAME',
  })
}

async function assertEmpty(address: S3Address): Promise<void> {
  const objects = await openBucketStorage(address)
  try {
    const { objects: found } = await objects.list('', { limit: 1 })
    if (found.length === 0) return
    const hint = 'name a prefix that is not in use'
    throw new IngestError('already_exists', `there are objects below ${objects.description}`, { hint })
  } finally {
    await objects.close()
  }
}
