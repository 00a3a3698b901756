/** Writes the ajv validators of every contract version, and with `--schemas` the published JSON Schemas. */

import { mkdir, writeFile } from 'node:fs/promises'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { _, type KeywordCxt } from 'ajv'
import standalone from 'ajv/dist/standalone/index.js'
import { CONTRACTS, type Contract } from '../src/contract/kinds.js'
import { envelopeShape, publishedSchemas, recordShape, schemaText, tokenDialect } from '../src/contract/schema.js'

const OUT = 'src/contract/generated'

export async function generate(): Promise<void> {
  for (const contract of CONTRACTS.values()) await writeValidators(contract)
}

if (process.argv[1] === import.meta.filename) {
  await generate()
  if (process.argv.includes('--schemas')) for (const contract of CONTRACTS.values()) await writeSchemas(contract)
}

async function writeValidators(contract: Contract): Promise<void> {
  const ajv = new Ajv2020({ code: { source: true, esm: true, lines: true }, strict: true, allowUnionTypes: true })
  ajv.addKeyword({ keyword: 'token', schemaType: 'string', code: tokenCode })
  for (const kind of contract.kinds) ajv.addSchema(recordShape(kind, tokenDialect), kind.kind)
  ajv.addSchema(envelopeShape({}, tokenDialect), 'envelope')
  const names = [...contract.kinds.map(kind => kind.kind), 'envelope']
  const code = standalone.default(ajv, Object.fromEntries(names.map(name => [name, name])))
  if (/\brequire\(/.test(code)) throw new Error('the generated validators must stand alone')
  await mkdir(OUT, { recursive: true })
  await writeFile(`${OUT}/v${contract.version}.js`, code)
  await writeFile(`${OUT}/v${contract.version}.d.ts`, declarations(names))
}

/** Integer tokens are bigint and every other number a number (see exact-value.ts), so the type tells the token. */
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

function declarations(names: readonly string[]): string {
  const lines = names.map(name => `export declare const ${name}: ShapeCheck`)
  return [
    `import type { ErrorObject } from 'ajv'`,
    `export type ShapeCheck = { (data: unknown): boolean; errors?: ErrorObject[] | null }`,
    ...lines,
    '',
  ].join('\n')
}

async function writeSchemas(contract: Contract): Promise<void> {
  const folder = `schemas/v${contract.version}`
  await mkdir(folder, { recursive: true })
  for (const [name, schema] of Object.entries(publishedSchemas(contract)))
    await writeFile(`${folder}/${name}.json`, schemaText(schema))
}
