/** Interprets the settings of a Postgres DSN other than its address: TLS, authorities, timeout, session attributes. */
import type { Endpoints } from './dsn-hosts.js'
import { isLoopback } from '../../http/address.js'
import type { DsnSetting, DsnSettings } from './dsn-settings.js'
import { dsnError } from './dsn-text.js'

const WEAK_MODES = ['allow', 'prefer', 'require', 'verify-ca', 'no-verify']
const READING_ATTRIBUTES = ['read-only', 'standby', 'prefer-standby']

export type Tls = 'verify-full' | 'off'

/** The value of `sslrootcert` that stands for the bundled authorities of AWS RDS. */
export const RDS_AUTHORITIES = 'rds'

/** Decides whether to use TLS. @throws {IngestError} `usage` for settings that would connect without verification */
export function parseTls(settings: DsnSettings, hosts: Endpoints, insecureLocal: boolean): Tls {
  const asked = parseMode(settings.get('sslmode'))
  // Naming an authority requests TLS, so `--insecure-local` alone does not turn it off.
  const named = asked ?? (settings.get('sslrootcert')?.value ? 'verify-full' : undefined)
  const tls = named ?? (insecureLocal ? 'off' : 'verify-full')
  const remote = hosts.find(({ host }) => !isLoopback(host))
  if (insecureLocal && remote !== undefined) {
    throw dsnError(
      `--insecure-local is for loopback addresses, not for ${remote.host}`,
      'leave it out: TLS is then verified',
    )
  }
  if (tls === 'off' && !insecureLocal) {
    const label = settings.get('sslmode')?.label ?? 'sslmode'
    throw dsnError(`${label}=disable is refused: the connection must be verified`, modeHint(label))
  }
  return tls
}

function parseMode(setting: DsnSetting | undefined): Tls | undefined {
  if (setting === undefined) return undefined
  const { value, label } = setting
  if (value === 'verify-full') return value
  if (value === 'disable') return 'off'
  if (WEAK_MODES.includes(value))
    throw dsnError(`${label}=${value} is refused: the connection must be verified`, modeHint(label))
  throw dsnError(`this ${label} is not known`, modeHint(label))
}

function modeHint(label: string): string {
  return label === 'PGSSLMODE'
    ? 'unset PGSSLMODE, or write sslmode=verify-full in the DSN, which wins'
    : 'write sslmode=verify-full or leave it out'
}

/** The file of authorities to trust. RDS hosts default to RDS's own authorities, because no system trusts them. */
export function parseAuthorities(settings: DsnSettings, hosts: Endpoints): string | undefined {
  const named = settings.get('sslrootcert')?.value
  // In libpq `system` stands for the system's authorities.
  if (named === 'system') return undefined
  if (named) return named
  return hosts.every(({ host }) => isRdsHost(host)) ? RDS_AUTHORITIES : undefined
}

/** Whether a host name is the AWS name of an RDS instance, cluster or proxy. */
export function isRdsHost(host: string): boolean {
  return /\.rds\.amazonaws\.com(\.cn)?$/i.test(host)
}

export function parseTimeout(setting: DsnSetting | undefined): number | undefined {
  if (setting === undefined || setting.value === '') return undefined
  if (!/^[1-9]\d{0,3}$/.test(setting.value))
    throw dsnError(`${setting.label} is not a number of seconds from 1 to 9999`)
  return Number(setting.value) * 1000
}

/** Parses `target_session_attrs`. By default only servers that accept writes are used; `any` also allows read-only servers. */
export function parseAttributes(setting: DsnSetting | undefined): 'any' | 'read-write' {
  const { value = '', label = '' } = setting ?? {}
  if (value === '' || value === 'read-write' || value === 'primary') return 'read-write'
  if (value === 'any') return value
  const known = READING_ATTRIBUTES.includes(value)
    ? `${label}=${value} is refused: records are written`
    : `this ${label} is not known`
  throw dsnError(known, 'write target_session_attrs=read-write or leave it out')
}
