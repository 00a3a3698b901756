/**
 * Fails when an import violates the layers of src/, because a folder may import only from folders below it, when two modules
 * export the same name, and when code outside src/database knows SQL.
 */

import { readdirSync, readFileSync } from 'node:fs'
import { join, relative, resolve, sep } from 'node:path'
import ts from 'typescript'

/** Layers from the bottom up. A layer may import from any layer below it and from its own folder. */
const LAYERS: readonly (readonly string[])[] = [
  ['errors.ts', 'monotonic-time.ts', 'nearest.ts', 'package-file.ts', 'redact.ts', 'visible-text.ts'],
  ['contract'],
  ['reports'],
  ['source', 'commit', 'analysis'],
  ['storage'],
  ['state'],
  ['http'],
  ['hosting'],
  ['database'],
  ['config'],
  ['pii'],
  ['convert'],
  ['doctor'],
  ['targets'],
  ['delivery'],
  ['server'],
  // Runs in the browser, so it imports only types from the layers below.
  ['page'],
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
  const files = sourceFiles(root)
  const unplaced = files.filter(file => levelOf(file) === -1)
  return [
    ...unplaced.map(file => `${file} is in no layer: add its folder to scripts/check-layers.ts`),
    ...files.flatMap(file => importsOf(root, file).flatMap(target => violation(file, target))),
    ...cycles(root, files),
    ...files.filter(file => topOf(file) !== DATABASE).flatMap(file => sqlViolations(root, file)),
  ]
}

function sourceFiles(root: string): readonly string[] {
  const names = readdirSync(root, { recursive: true, encoding: 'utf8' })
  return names.filter(name => name.endsWith('.ts') && !name.endsWith('.d.ts'))
}

/** The only folder that knows SQL. */
const DATABASE = 'database'

const DATABASE_PACKAGES = /^(?:pg|pg-.*|@electric-sql\/.*)(?:\/|$)/

/** Beginnings of SQL statements. GRANT and REVOKE are missing because hints tell users to run them. */
const STATEMENTS = [
  /^\s*(?:SELECT|SHOW|LOCK|TRUNCATE|VACUUM|ANALYZE|EXPLAIN|COPY)\s+\S/,
  /^\s*(?:INSERT\s+INTO|DELETE\s+FROM|SET\s+LOCAL|SET\s+SESSION|DO\s+\$)/,
  /^\s*UPDATE\s+\S+(?:\s+AS\s+\S+)?\s+SET\s/,
  /^\s*WITH\s+(?:RECURSIVE\s+)?\w+\s+AS\b/,
  /^\s*(?:CREATE|ALTER|DROP)\s+(?:TEMP|TABLE|INDEX|ROLE|SCHEMA|DATABASE)/,
  /^\s*(?:BEGIN|COMMIT|ROLLBACK|CHECKPOINT)\b/,
]

/** Methods of a database session that take SQL. */
const SESSION_METHODS = ['query', 'execute', 'copyIn']

function sqlViolations(root: string, file: string): readonly string[] {
  const source = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest, true)
  const found: string[] = []
  const report = (node: ts.Node, problem: string): void => {
    const { line } = source.getLineAndCharacterOfPosition(node.getStart())
    found.push(`${file}:${line + 1} ${problem}: only src/${DATABASE} knows SQL`)
  }
  const visit = (node: ts.Node): void => {
    if (ts.isStringLiteralLike(node) || ts.isTemplateHead(node)) {
      if (STATEMENTS.some(beginning => beginning.test(node.text)))
        report(node, `contains the statement ${node.text.trim().slice(0, 20)}…`)
      else if (isImported(node) && DATABASE_PACKAGES.test(node.text)) report(node, `imports ${node.text}`)
    } else if (ts.isCallExpression(node) && ts.isPropertyAccessExpression(node.expression)) {
      const { text } = node.expression.name
      if (SESSION_METHODS.includes(text)) report(node.expression.name, `calls ${text}()`)
    }
    ts.forEachChild(node, visit)
  }
  visit(source)
  return found
}

/** Whether a string names the module of an import or export. */
function isImported({ parent }: ts.Node): boolean {
  if (ts.isImportDeclaration(parent) || ts.isExportDeclaration(parent) || ts.isExternalModuleReference(parent))
    return true
  if (ts.isLiteralTypeNode(parent)) return ts.isImportTypeNode(parent.parent)
  return ts.isCallExpression(parent) && parent.expression.kind === ts.SyntaxKind.ImportKeyword
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

/**
 * @param root the folder src/
 * @returns one line for each name that more than one module declares and exports
 */
export function duplicateExports(root: string): readonly string[] {
  const modules = new Map<string, string[]>()
  for (const file of sourceFiles(root))
    for (const name of new Set(exportedNames(root, file))) modules.set(name, [...(modules.get(name) ?? []), file])
  return [...modules]
    .filter(([, files]) => files.length > 1)
    .map(([name, files]) => `${name} is exported by ${files.join(' and ')}: give each a name of its own`)
}

/** The names that a module declares and exports. Names that it only passes on from another module do not count. */
function exportedNames(root: string, file: string): readonly string[] {
  const { statements } = ts.createSourceFile(file, readFileSync(join(root, file), 'utf8'), ts.ScriptTarget.Latest)
  return statements.filter(isExported).flatMap(statement => {
    if (ts.isVariableStatement(statement))
      return statement.declarationList.declarations.flatMap(({ name }) => (ts.isIdentifier(name) ? [name.text] : []))
    const { name } = statement as ts.DeclarationStatement
    return name !== undefined && ts.isIdentifier(name) ? [name.text] : []
  })
}

function isExported(statement: ts.Statement): boolean {
  const modifiers = ts.canHaveModifiers(statement) ? ts.getModifiers(statement) : undefined
  return modifiers?.some(({ kind }) => kind === ts.SyntaxKind.ExportKeyword) === true
}

if (process.argv[1] === import.meta.filename) {
  const root = resolve('src')
  const found = [...layerViolations(root), ...duplicateExports(root)]
  for (const line of found) console.error(line)
  console.log(found.length === 0 ? 'layers: every import points down' : `layers: ${found.length} violations`)
  process.exitCode = found.length === 0 ? 0 : 1
}
