import t from 'tap'
import { parseStorageAddress } from '../../src/storage/address.js'
import { openStorage } from '../../src/storage/open-storage.js'

const PLAIN = { kind: 's3', prefix: '', region: undefined, endpoint: undefined, pathStyle: false } as const

t.test('addresses of folders, S3 buckets and memory are parsed', async t => {
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

t.test('invalid addresses are refused with a hint about the valid forms', async t => {
  const wrong: Record<string, RegExp> = {
    '': /missing folder name/,
    '  ': /missing folder name/,
    's3:/bucket/x': /unknown kind of storage s3:/,
    'S3://bucket': /unknown kind of storage S3:/,
    'gs://bucket': /unknown kind of storage gs:/,
    'file:///tmp': /unknown kind of storage file:/,
    'memory:x': /unknown kind of storage memory:/,
    's3://': /invalid or missing bucket name/,
    's3:///x': /invalid or missing bucket name/,
    's3://Bucket': /invalid or missing bucket name/,
    's3://key:secret@bucket/x': /invalid or missing bucket name/,
    's3://bucket//x': /empty, "\." or "\.\." part/,
    's3://bucket/../x': /empty, "\." or "\.\." part/,
    [`s3://bucket/${'x'.repeat(121)}`]: /more than 120 bytes/,
    's3://bucket?regoin=x': /no parameter regoin/,
    's3://bucket?region=a&region=b': /repeats a parameter/,
    's3://bucket?path-style=yes': /path-style must be true or false/,
    's3://bucket?endpoint=minio:9000': /endpoint must be an http/,
    's3://bucket?endpoint=https://key:secret@host': /endpoint must not contain credentials/,
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

t.test('openStorage opens the storage that an address names', async t => {
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
