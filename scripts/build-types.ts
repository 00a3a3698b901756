/** Writes dist/index.d.mts: the declarations of the library in one file, which needs no other package than @types/node. */

import { rollup } from 'rollup'
import { dts } from 'rollup-plugin-dts'

const OUT = 'dist/index.d.mts'

const bundle = await rollup({
  input: 'src/index.ts',
  plugins: [dts({ tsconfig: 'tsconfig.json', compilerOptions: { noEmit: false, declaration: true } })],
  external: /^node:/,
  onwarn: warning => {
    throw new Error(`${OUT}: ${warning.message}`)
  },
})
await bundle.write({ file: OUT, format: 'es' })
