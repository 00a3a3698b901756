import t from 'tap'
import { parseStorageAddress } from '../../src/storage/address.js'
import { openStorage } from '../../src/storage/open-storage.js'

const PLAIN = { kind: 's3', prefix: '', region: undefined, endpoint: undefined, pathStyle: false } as const

t.test('a folder, a bucket and memory are told apart', async t => {
  const read = {
    'memory:': { kind: 'memory' },
    state: { kind: 'local', folder: 'state' },
    './s3:x': { kind: 'local', folder: './s3:x' },
    '/var/lib/a b': { kind: 'local', folder: '/var/lib/a b' },
    'C:\\state': { kind: 'local', folder: 'C:\\state' },
    's3://my.bucket-1': { ...PLAIN, bucket: 'my.bucket-1' },
    's3://bucket/': { ...PLAIN, bucket: 'bucket' },
    's3://bucket/a/b c/': { ...PLAIN, bucket: 'bucket', prefix: 'a/b c' },
    's3://bucket/a?region=eu-west-1': { ...PLAIN, bucket: 'bucket', prefix: 'a', region: 'eu-west-1' },
    's3://bucket?endpoint=http://127.0.0.1:9000/s3&path-style=true': {
      ...PLAIN,
      bucket: 'bucket',
      endpoint: 'http://127.0.0.1:9000/s3',
      pathStyle: true,
    },
  }
  for (const [text, address] of Object.entries(read)) t.strictSame(parseStorageAddress(text), address, text)
})

t.test('typos and what no storage is are refused, with what there is', async t => {
  const wrong: Record<string, RegExp> = {
    '': /needs the name of a folder/,
    '  ': /needs the name of a folder/,
    's3:/bucket/x': /no storage at s3:/,
    'S3://bucket': /no storage at S3:/,
    'gs://bucket': /no storage at gs:/,
    'file:///tmp': /no storage at file:/,
    'memory:x': /no storage at memory:/,
    's3://': /not followed by the name of a bucket/,
    's3:///x': /not followed by the name of a bucket/,
    's3://Bucket': /not followed by the name of a bucket/,
    's3://key:secret@bucket/x': /not followed by the name of a bucket/,
    's3://bucket//x': /empty, "\." or "\.\." part/,
    's3://bucket/../x': /empty, "\." or "\.\." part/,
    [`s3://bucket/${'x'.repeat(121)}`]: /more than 120 bytes/,
    's3://bucket?regoin=x': /no parameter regoin/,
    's3://bucket?region=a&region=b': /given twice/,
    's3://bucket?path-style=yes': /path-style is true or false/,
    's3://bucket?endpoint=minio:9000': /endpoint is an http/,
    's3://bucket?endpoint=https://key:secret@host': /endpoint has credentials/,
  }
  for (const [text, message] of Object.entries(wrong)) {
    try {
      parseStorageAddress(text)
      t.fail(text)
    } catch (error) {
      t.match(error, { code: 'usage', message, hint: String }, text)
      t.notMatch(String(error), /secret/)
    }
  }
})

t.test('an address opens the storage it names', async t => {
  for (const [text, description] of [
    ['memory:', 'memory:'],
    [t.testdirName, t.testdirName],
    ['s3://bucket/a?region=eu-west-1', 's3://bucket/a'],
  ] as const) {
    const storage = await openStorage(parseStorageAddress(text))
    t.equal(storage.description, description)
    await storage.close()
  }
})
