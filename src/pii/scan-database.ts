/** Finds personal data in a database: in commits, and in every different text of the measurements. */

import { CONTRACT } from '../contract/kinds.js'
import { readCommitTexts, readTexts, textColumns } from '../database/queries/texts.js'
import type { SqlSession } from '../database/session.js'
import { redactedSample, type FoundData, type TextScanner } from './found-data.js'

/** @param session its transaction decides whether all tables are read in the same state */
export async function* scanDatabase(session: SqlSession, scanner: TextScanner): AsyncGenerator<FoundData> {
  for await (const commits of readCommitTexts(session)) {
    const texts = commits.flatMap(({ sha, texts }) =>
      Object.entries(texts).map(([name, text]) => ({ id: sha, name, text: text ?? '', rows: 1 })),
    )
    yield* findings(texts, scanner, 'commits')
  }
  for (const kind of CONTRACT.kinds)
    for (const column of await textColumns(session, kind)) {
      const { dimension = false } = kind.fields.find(({ name }) => name === column) ?? {}
      for await (const texts of readTexts(session, kind, column)) {
        const named = texts.map(text => ({ ...text, name: column }))
        for await (const found of findings(named, scanner, kind.table)) yield { ...found, isDimension: dimension }
      }
    }
}

type ColumnText = { readonly id: string; readonly name: string; readonly text: string; readonly rows: number }

async function* findings(texts: readonly ColumnText[], scanner: TextScanner, table: string): AsyncGenerator<FoundData> {
  const found = await scanner.find(texts)
  for (const [index, { id, name: field, text, rows }] of texts.entries())
    for (const finding of found[index]!) {
      const sample = redactedSample(text, finding)
      yield { place: { table, id, rows }, field, rule: finding.rule, sample, isDimension: false }
    }
}
