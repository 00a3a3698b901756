/** Every route that is added, so that what else there is to say of a path follows from what was added. */

import type { FastifyInstance, RouteOptions } from 'fastify'

export type KnownRoute = { readonly method: string; readonly url: string }

export class RouteList {
  readonly #routes: KnownRoute[] = []
  #isSealed = false

  /** Sees what is added from now on. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ method, url }) => {
      if (!this.#isSealed) this.#routes.push(...[method].flat().map(one => ({ method: one, url })))
    })
  }

  get routes(): readonly KnownRoute[] {
    return this.#routes
  }

  /** What is added after that is none that anybody is told of. */
  seal(): readonly KnownRoute[] {
    this.#isSealed = true
    return this.routes
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/** The answers to methods that a known path does not have. */
export function otherMethods(routes: readonly KnownRoute[]): readonly RouteOptions[] {
  const urls = [...new Set(routes.map(({ url }) => url))]
  return urls.map(url => {
    const methods = METHODS.filter(method => routes.some(route => route.url === url && route.method === method))
    const allow = methods.join(', ')
    return {
      method: METHODS.filter(method => !methods.includes(method)),
      url,
      handler: (_request, reply) => reply.code(405).header('allow', allow).send({ error: 'method_not_allowed' }),
    }
  })
}
