/** The website that shows the measurements and is notified of new data after a write (contract section 4). */

import type { Environment } from '../commit/ci.js'
import { parseServerUrl, type HttpAddress } from '../http/address.js'
import { assertSendable, siteAddress } from '../http/site-address.js'

export type SiteConfig = { readonly address: HttpAddress; readonly warm: boolean }

/**
 * The website's configuration; undefined when there is no website to notify.
 * @throws {IngestError} when the variables are invalid, which must not fail a push
 */
export async function siteConfig(
  flags: { readonly revalidate?: boolean; readonly warm?: boolean },
  env: Environment,
): Promise<SiteConfig | undefined> {
  const [url, token] = [env['BENCH_SITE_BASE_URL'], env['BENCH_REVALIDATE_TOKEN']]
  if (!url || !token || flags.revalidate === false) return undefined
  const base = parseServerUrl(url, 'BENCH_SITE_BASE_URL')
  const address = await siteAddress(base, assertSendable(token.trim(), 'BENCH_REVALIDATE_TOKEN'), env)
  return Object.freeze({ address, warm: flags.warm !== false })
}
