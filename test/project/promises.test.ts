/** Every promise of docs/promises.md names tests that exist and that run. */

import { readFile } from 'node:fs/promises'
import t from 'tap'
import ts from 'typescript'

const ROOT = new URL('../../', import.meta.url)
const PROMISES = 10

t.test('each promise names tests that run', async t => {
  const text = await readFile(new URL('docs/promises.md', ROOT), 'utf8')
  const parts = text.split(/^\d+\. /m).slice(1)
  t.equal(parts.length, PROMISES)
  for (const [index, part] of parts.entries()) {
    const named = [...part.matchAll(/`(test\/[^`›]+?)(?: › ([^`]+))?`/gs)]
    t.ok(named.length > 0, `promise ${index + 1} names a test`)
    for (const [, file = '', title] of named) {
      const source = await readFile(new URL(file, ROOT), 'utf8').catch(() => undefined)
      if (source === undefined) t.fail(`promise ${index + 1}: there is no ${file}`)
      else if (title === undefined) t.not(findLiveTitles(source).length, 0, file)
      else t.ok(hasLiveTest(source, title.replace(/\s+/g, ' ')), `${file} › ${title}`)
    }
  }
})

t.test('only a test that runs holds a promise', async t => {
  const sources: Readonly<Record<string, boolean>> = {
    [`t.test('kept', async t => {})`]: true,
    [`t.test(\n  'kept',\n  { skip: noMounts },\n  async t => {},\n)`]: true,
    [`t.test('kept', { skip: !existsSync('/dev/full') && 'no such device' }, async t => {})`]: true,
    [`t.test('kept', { skip: false, timeout: 1000 }, async t => {})`]: true,
    ['t.test(`kept (TEST_SEED=${SEED} repeats it)`, async t => {})']: true,
    [`t.test('outer', async t => {\n  for (const kind of KINDS) await t.test('kept', async t => {})\n})`]: true,
    [`// t.test('kept', async t => {})`]: false,
    [`/*\nt.test('kept', async t => {})\n*/`]: false,
    [`t.test('another', async t => {}) // 'kept'`]: false,
    [`t.test('kept and more', async t => {})`]: false,
    [`const TITLE = "t.test('kept', async t => {})"`]: false,
    [`t.comment('kept')`]: false,
    [`t.test('kept')`]: false,
    [`t.skip('kept', async t => {})`]: false,
    [`t.todo('kept', async t => {})`]: false,
    [`t.test.skip('kept', async t => {})`]: false,
    [`t.test('kept', { skip: true }, async t => {})`]: false,
    [`t.test('kept', { skip: 'flaky' }, async t => {})`]: false,
    [`t.test('kept', { todo: true }, async t => {})`]: false,
    [`t.skip('outer', async t => {\n  await t.test('kept', async t => {})\n})`]: false,
    [`t.test('outer', { skip: true }, async t => {\n  await t.test('kept', async t => {})\n})`]: false,
    [`if (false) t.test('kept', async t => {})`]: false,
  }
  for (const [source, isLive] of Object.entries(sources)) t.equal(hasLiveTest(source, 'kept'), isLive, source)
})

/** A title is compared as a whole. The title of a template literal is compared up to its first placeholder. */
function hasLiveTest(source: string, title: string): boolean {
  return findLiveTitles(source).some(found =>
    typeof found === 'string' ? found === title : found.head.startsWith(title),
  )
}

/** Titles of the tests in a file, without those that are commented out, skipped unconditionally or planned only. */
function findLiveTitles(source: string): readonly (string | { readonly head: string })[] {
  const titles: (string | { readonly head: string })[] = []
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isDead(node)) return
    if (ts.isIfStatement(node) && node.expression.kind === ts.SyntaxKind.FalseKeyword) return
    if (ts.isCallExpression(node) && isTestCall(node)) {
      const [title] = node.arguments
      if (title && ts.isStringLiteralLike(title)) titles.push(title.text)
      else if (title && ts.isTemplateExpression(title)) titles.push({ head: title.head.text })
      else titles.push({ head: '' })
    }
    ts.forEachChild(node, visit)
  }
  visit(ts.createSourceFile('a.test.ts', source, ts.ScriptTarget.Latest, true))
  return titles
}

/** Whether the call is `t.test(title, …, body)`. */
function isTestCall({ expression, arguments: [, ...rest] }: ts.CallExpression): boolean {
  return ts.isPropertyAccessExpression(expression) && expression.name.text === 'test' && rest.length > 0
}

/** Whether a call's tests never run: `skip`, `todo`, or a `skip` or `todo` option that is true or a reason. */
function isDead({ expression, arguments: args }: ts.CallExpression): boolean {
  if (ts.isPropertyAccessExpression(expression) && /^(?:skip|todo)$/.test(expression.name.text)) return true
  return args.filter(ts.isObjectLiteralExpression).some(({ properties }) =>
    properties.some(property => {
      if (!ts.isPropertyAssignment(property) || !/^(?:skip|todo)$/.test(property.name.getText())) return false
      return property.initializer.kind === ts.SyntaxKind.TrueKeyword || ts.isStringLiteralLike(property.initializer)
    }),
  )
}
