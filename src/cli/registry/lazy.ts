/** The actions of the registry's commands, loaded when they run: pushes need none of them. */

import type { RegistryAction } from './flags.js'

export const targets = {
  ls: lazy(async () => (await import('./targets-ls.js')).ls),
  add: lazy(async () => (await import('./targets.js')).add),
  rm: lazy(async () => (await import('./targets.js')).rm),
  set: lazy(async () => (await import('./targets.js')).set),
  test: lazy(async () => (await import('./targets-test.js')).test),
}

export const buckets = {
  ls: lazy(async () => (await import('./buckets.js')).ls),
  add: lazy(async () => (await import('./buckets.js')).add),
  rm: lazy(async () => (await import('./buckets.js')).rm),
  get: lazy(async () => (await import('./bucket-objects.js')).get),
  put: lazy(async () => (await import('./bucket-objects.js')).put),
}

export const journal = {
  show: lazy(async () => (await import('./journal.js')).show),
  flush: lazy(async () => (await import('./journal.js')).flush),
  compact: lazy(async () => (await import('./journal.js')).compact),
  health: lazy(async () => (await import('./journal-health.js')).health),
}

function lazy(load: () => Promise<RegistryAction>): RegistryAction {
  return async (...params) => (await load())(...params)
}
