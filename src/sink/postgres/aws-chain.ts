/** AWS's own credential chain: shared files, SSO, web identity (OIDC), containers, instances. Large, so loaded late. */
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { loadConfig } from '@smithy/core/config'
import { silenceVersionWarning, silentLogger } from '../../storage/aws-sdk.js'
import type { AwsCredentials } from './rds-token.js'

/** Credentials are kept and renewed in time, so that every token may ask. */
const providers = new Map<string, () => Promise<AwsCredentials>>()

export function chainCredentials(region: string): Promise<AwsCredentials> {
  let provider = providers.get(region)
  if (provider === undefined) {
    silenceVersionWarning()
    // Both names: one is for roles that are assumed by a profile, the other for web identities.
    provider = defaultProvider({ clientConfig: { region }, parentClientConfig: { region }, logger: silentLogger })
    providers.set(region, provider)
  }
  return provider()
}

/** The region of the profile in use, by the shared files. */
export async function profileRegion(): Promise<string | undefined> {
  const read = loadConfig<string>({
    environmentVariableSelector: () => undefined,
    configFileSelector: profile => profile['region'],
    default: '',
  })
  return (await read()) || undefined
}
