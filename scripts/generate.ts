/** Generates the ajv validators of every contract version. `npm run docs` writes the published JSON Schemas. */

import { mkdir, writeFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { _, type KeywordCxt } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
import { CONTRACTS, type Contract, type Kind } from '../src/contract/kinds.js'
import { envelopeShape, recordShape, tokenDialect } from '../src/contract/schema.js'

const OUT = 'src/contract/generated'

type Validator = { readonly version: number; readonly name: string }

export async function generate(): Promise<void> {
  await mkdir(OUT, { recursive: true })
  const validators = new Map<Kind, Validator>()
  for (const contract of CONTRACTS.values()) await writeValidators(contract, validators)
  await writeFile(`${OUT}/validators.js`, indexOf(validators))
  await writeFile(`${OUT}/validators.d.ts`, DECLARATIONS)
}

/** Writes validators for the kinds that a contract version adds or changes. Other kinds share those of the version before. */
async function writeValidators(contract: Contract, validators: Map<Kind, Validator>): Promise<void> {
  const ajv = new Ajv2020({ code: { source: true, esm: true, lines: true }, strict: true, allowUnionTypes: true })
  ajv.addKeyword({ keyword: 'token', schemaType: 'string', code: tokenCode })
  const changed = contract.kinds.filter(kind => !validators.has(kind))
  for (const kind of changed) {
    ajv.addSchema(recordShape(kind, tokenDialect), kind.kind)
    validators.set(kind, { version: contract.version, name: kind.kind })
  }
  const names = changed.map(kind => kind.kind)
  if (contract.version === 1) {
    ajv.addSchema(envelopeShape({}, tokenDialect), 'envelope')
    names.push('envelope')
  }
  const code = standalone.default(ajv, Object.fromEntries(names.map(name => [name, name])))
  if (/\brequire\(/.test(code)) throw new Error('the generated validators must stand alone')
  await writeFile(`${OUT}/v${contract.version}.js`, code)
}

/** Generates a module that exports the validator of each kind in each version. */
function indexOf(validators: ReadonlyMap<Kind, Validator>): string {
  const versions = [...CONTRACTS.values()]
  const imports = versions.map(({ version }) => `import * as v${version} from './v${version}.js'`)
  const entries = versions.map(({ version, kinds }) => {
    const list = kinds.map(kind => {
      const { version, name } = validators.get(kind)!
      return `${name}: v${version}.${name}`
    })
    return `  [${version}, { ${list.join(', ')} }],`
  })
  const envelope = 'export const envelope = v1.envelope'
  return [...imports, envelope, 'export const recordShapes = new Map([', ...entries, '])', ''].join('\n')
}

const DECLARATIONS = `import type { ErrorObject } from 'ajv'
export type ShapeCheck = { (data: unknown): boolean; errors?: ErrorObject[] | null }
export declare const envelope: ShapeCheck
export declare const recordShapes: ReadonlyMap<number, Readonly<Record<string, ShapeCheck>>>
`

/** Integer tokens are bigint and all other numbers are number (see exact-value.ts), so the type tells them apart. */
function tokenCode(cxt: KeywordCxt): void {
  const { data } = cxt
  const token = String(cxt.schema)
  if (token.endsWith('?')) cxt.gen.if(_`${data} !== null`, () => fail(cxt, token.slice(0, -1)))
  else fail(cxt, token)
}

function fail(cxt: KeywordCxt, type: string): void {
  const { data } = cxt
  if (type === 'f64') cxt.fail(_`typeof ${data} !== "bigint" && typeof ${data} !== "number"`)
  else if (type === 'i32') cxt.fail(_`typeof ${data} !== "bigint" || ${data} < -2147483648n || ${data} > 2147483647n`)
  else cxt.fail(_`typeof ${data} !== "bigint" || ${data} < -9223372036854775808n || ${data} > 9223372036854775807n`)
}

if (process.argv[1] === import.meta.filename) await generate()
