/**
 * AWS's credential chain: shared files, SSO, web identity (OIDC), containers, instances. Imported on demand, because it is
 * large.
 */
import { defaultProvider } from '@aws-sdk/credential-provider-node'
import { loadConfig } from '@smithy/core/config'
import { prepareAwsSdk, silentLogger } from '../../storage/aws-sdk.js'

export type AwsCredentials = {
  readonly accessKeyId: string
  readonly secretAccessKey: string
  readonly sessionToken?: string | undefined
}

/** Credential providers by region. A provider caches its credentials and renews them before they expire. */
const providers = new Map<string, () => Promise<AwsCredentials>>()

export function chainCredentials(region: string): Promise<AwsCredentials> {
  let provider = providers.get(region)
  if (provider === undefined) {
    prepareAwsSdk()
    // Both options are needed: one configures roles assumed by a profile, the other web identities.
    provider = defaultProvider({ clientConfig: { region }, parentClientConfig: { region }, logger: silentLogger })
    providers.set(region, provider)
  }
  return provider()
}

/** The region of the current profile in AWS's shared configuration files. */
export async function profileRegion(): Promise<string | undefined> {
  const read = loadConfig<string>({
    environmentVariableSelector: () => undefined,
    configFileSelector: profile => profile['region'],
    default: '',
  })
  return (await read()) || undefined
}
