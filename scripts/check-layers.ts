/** Fails when an import violates the layers of src/: a folder may import only from folders below it. */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'

/** Layers from the bottom up. A layer may import from any layer below it and from its own folder. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors.ts', 'package-file.ts', 'redact.ts'],
  ['contract'],
  ['reports'],
  ['source', 'commit', 'analysis'],
  ['storage'],
  ['state'],
  ['http'],
  ['database'],
  ['targets'],
  ['delivery'],
  ['server'],
  // Runs in the browser, so it imports only types from the layers below.
  ['page'],
  ['config'],
  ['doctor'],
  ['library'],
  ['index.ts'],
  ['cli'],
]

/** Folders with interchangeable subfolders, which must not import from each other. */
const BACKENDS = ['database', 'targets', 'storage']

/**
 * @param root the folder src/
 * @returns one line for each import that breaks a rule
 */
export function layerViolations(root: string): readonly string[] {
  const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(
    name => /\.ts$/.test(name) && !/\.d\.ts$/.test(name),
  )
  const unplaced = files.filter(file => levelOf(file) === -1)
  return [
    ...unplaced.map(file => `${file} is in no layer: add its folder to scripts/check-layers.ts`),
    ...files.flatMap(file => importsOf(root, file).flatMap(target => violation(file, target))),
    ...cycles(root, files),
  ]
}

function importsOf(root: string, file: string): readonly string[] {
  const { importedFiles } = ts.preProcessFile(readFileSync(join(root, file), 'utf8'), true, true)
  return importedFiles
    .map(({ fileName }) => fileName)
    .filter(name => name.startsWith('.'))
    .map(name => relative(root, resolve(root, file, '..', name)).replace(/\.js$/, '.ts'))
}

function violation(file: string, target: string): readonly string[] {
  const [from, to] = [levelOf(file), levelOf(target)]
  if (to === -1) return [`${file} imports ${target}, which is in no layer`]
  const sameFolder = topOf(file) === topOf(target)
  if (to > from || (to === from && !sameFolder)) return [`${file} imports ${target}, which is not below it`]
  const [one, other] = [backendOf(file), backendOf(target)]
  if (sameFolder && one !== undefined && other !== undefined && one !== other)
    return [`${file} imports ${target}: backends do not know each other`]
  return []
}

function topOf(file: string): string {
  return file.split(sep)[0] ?? ''
}

function levelOf(file: string): number {
  return LAYERS.findIndex(layer => layer.includes(topOf(file)))
}

function backendOf(file: string): string | undefined {
  const [folder = '', backend = '', ...rest] = file.split(sep)
  return BACKENDS.includes(folder) && rest.length > 0 ? `${folder}/${backend}` : undefined
}

function cycles(root: string, files: readonly string[]): readonly string[] {
  const graph = new Map(files.map(file => [file, importsOf(root, file)]))
  const done = new Set<string>()
  const found: string[] = []
  const visit = (file: string, path: readonly string[]): void => {
    if (path.includes(file)) found.push(`cycle: ${[...path.slice(path.indexOf(file)), file].join(' → ')}`)
    else if (!done.has(file)) for (const target of graph.get(file) ?? []) visit(target, [...path, file])
    done.add(file)
  }
  for (const file of files) visit(file, [])
  return found
}

if (process.argv[1] === import.meta.filename) {
  const found = layerViolations(resolve('src'))
  for (const line of found) console.error(line)
  console.log(found.length === 0 ? 'layers: every import points down' : `layers: ${found.length} violations`)
  process.exitCode = found.length === 0 ? 0 : 1
}
