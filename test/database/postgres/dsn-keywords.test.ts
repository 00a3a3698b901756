import t from 'tap'
import { IngestError } from '../../../src/errors.js'
import { parseDsn } from '../../../src/database/postgres/dsn.js'
import { parseKeywords } from '../../../src/database/postgres/dsn-syntax.js'

const STRICT = { insecureLocal: false }
const SECRET = 'hunter2secret'

/** The settings as an object. */
function read(text: string): Record<string, string> {
  return Object.fromEntries([...parseKeywords(text)].map(([keyword, { value }]) => [keyword, value]))
}

t.test('values are parsed by the quoting rules of libpq', t => {
  const cases: readonly (readonly [string, Record<string, string>])[] = [
    ['host=h dbname=d', { host: 'h', dbname: 'd' }],
    ['  host = h\n\tdbname\t=  d  ', { host: 'h', dbname: 'd' }],
    [`password='it''`.slice(0, -1), { password: 'it' }],
    [`password='a b=c' user=u`, { password: 'a b=c', user: 'u' }],
    [`password='it\\'s \\\\ \\x' user=u`, { password: `it's \\ x`, user: 'u' }],
    [`password=a\\ b\\'c\\\\d user=u`, { password: `a b'c\\d`, user: 'u' }],
    [`password=a'b'c`, { password: `a'b'c` }],
    [`password='' user=u`, { password: '', user: 'u' }],
    ['password= user=u', { password: 'user=u' }],
    [`password='a'user=u`, { password: 'a', user: 'u' }],
    ['password=a\\ ', { password: 'a ' }],
    ['password=a\\', { password: 'a' }],
    ['password=p@ss:/%41?#', { password: 'p@ss:/%41?#' }],
    ['user=ünï', { user: 'ünï' }],
    ['password=a\u00a0b', { password: 'a\u00a0b' }],
  ]
  for (const [text, settings] of cases) t.strictSame(read(text), settings, text)
  t.end()
})

t.test('invalid strings and unknown keywords are rejected without showing a value', t => {
  const cases: readonly (readonly [string, RegExp])[] = [
    [`host=h ${SECRET}`, /lacks an =/],
    [`host=h user ${SECRET}=x`, /lacks an =/],
    [`password='${SECRET}`, /quote .* does not end/],
    [`password='${SECRET}\\'`, /quote .* does not end/],
    [`password=${SECRET} hostaddr=1.2.3.4`, /parameter hostaddr .* not known/],
    [`password=${SECRET} service=x`, /parameter service .* not known/],
    [`password=${SECRET} options='-c role=x'`, /parameter options .* not known/],
    [`password=${SECRET} password=b`, /gives password twice/],
    [`password='${SECRET}\0'`, /control character/],
    [`user=${SECRET} host=/tmp dbname=d`, /Unix socket/],
    [`user=${SECRET} host='' dbname=d`, /names no host/],
    [`user=u host=h dbname=d sslmode=require password=${SECRET}`, /sslmode=require is refused/],
    [`user=u host=h,i port=1,2,3 dbname=d password=${SECRET}`, /port names 3 ports for 2 hosts/],
  ]
  for (const [text, message] of cases) {
    let caught: unknown
    try {
      parseDsn(text, STRICT)
    } catch (error) {
      caught = error
    }
    if (!(caught instanceof IngestError)) throw new Error(`accepted ${text}`)
    t.match(caught, { code: 'usage', message }, text)
    t.notMatch(`${caught.message} ${caught.hint} ${caught.stack}`, SECRET)
  }
  t.end()
})

t.test('a keyword string gives the same address as the equivalent URL', t => {
  const text = `host=h1,::1 port=5433,5434 dbname='bench db' user=u password='p w' sslmode=verify-full sslrootcert=/ca.pem connect_timeout=3 application_name=ci`
  const url =
    'postgres://u:p%20w@h1:5433,[::1]:5434/bench%20db?sslmode=verify-full&sslrootcert=/ca.pem&connect_timeout=3&application_name=ci'
  t.strictSame(parseDsn(text, STRICT), parseDsn(url, STRICT))
  t.match(parseDsn('host=a,b port=5433 dbname=d user=u', STRICT), { port: 5433, others: [{ host: 'b', port: 5433 }] })
  t.end()
})
