/** Records all registered routes, from which the OpenAPI document and the 405 answers are derived. */

import type { FastifyInstance, RouteOptions } from 'fastify'

export type KnownRoute = { readonly method: string; readonly url: string }

export class RouteList {
  readonly #routes: KnownRoute[] = []
  #isSealed = false

  /** Records the routes that are added after this call. */
  constructor(app: FastifyInstance) {
    app.addHook('onRoute', ({ method, url }) => {
      if (!this.#isSealed) this.#routes.push(...[method].flat().map(one => ({ method: one, url })))
    })
  }

  get routes(): readonly KnownRoute[] {
    return this.#routes
  }

  /** Stops recording. Routes that are added later, such as the 405 answers, are not listed. */
  seal(): readonly KnownRoute[] {
    this.#isSealed = true
    return this.routes
  }
}

const METHODS = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'TRACE']

/** Routes that answer 405 with an `Allow` header for every method that a known path does not support. */
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
