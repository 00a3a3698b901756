/**
 * The library: validates benchmark records and delivers them exactly once. Importing it does nothing else; the code of a target
 * kind is loaded when a target of that kind is opened.
 * @packageDocumentation
 */

export { IngestError, type ErrorCode } from './errors.js'
export type { Commit, RunMeta } from './contract/commit.js'
export type { Rejection, RejectionCode, Warning, WarningCode } from './source/rejection.js'
export type { Source } from './source/source.js'
export type { State } from './state/state.js'
export { validate, type ValidatedFile, type ValidateOptions, type ValidateResult } from './source/validate.js'
export { verify, type Difference, type VerifyOptions, type VerifyResult } from './delivery/verify.js'
export { compare, type CompareOptions, type CompareResult } from './delivery/compare.js'
export { changes, type ChangesOptions, type ChangesResult } from './delivery/changes.js'
export type { CommitChanges, FoundChange } from './delivery/found-changes.js'
export { push, type PushOptions, type PushResult } from './delivery/push.js'
export { drain, recover, type DrainOptions, type DrainResult } from './delivery/drain.js'
export type { TargetResult } from './delivery/result.js'
export type { DeliveryEvent } from './delivery/events.js'
export type { Target } from './delivery/target.js'
export { openState, type OpenStateOptions } from './state/open-state.js'
export type { PiiOptions } from './pii/pii-filter.js'
export type { PiiMode } from './contract/pii-mode.js'
export {
  archive,
  embedded,
  postgres,
  server,
  type DatabaseTarget,
  type PostgresOptions,
  type ServerOptions,
  type TargetOptions,
} from './library/targets.js'
