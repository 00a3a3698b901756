/** Agents for a proxy in between, with what the libraries leave open. */

import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import type { AgentOptions } from 'node:https'
import type { Socket, TcpNetConnectOpts } from 'node:net'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'

/** Forwards plain requests. */
export function forwardingAgent(proxy: URL, options: AgentOptions): Agent {
  return givingUp(new HttpProxyAgent(proxy, options))
}

/** Tunnels to a server that speaks TLS. */
export function tunnelAgent(proxy: URL, options: AgentOptions): Agent {
  const agent = givingUp(new HttpsProxyAgent(proxy, options))
  // By itself it would trust as told on the way to the proxy only, not to the server behind it.
  return Object.assign(agent, { options: { ...agent.options, ...options } })
}

/** Of a request; `signal` itself Node does not hand on to agents. */
export type ConnectingOptions = RequestOptions & { readonly givenUp?: AbortSignal }

type ConnectOptions = Parameters<HttpsProxyAgent<string>['connect']>[1]

/** What both agents have; the request's own options come with each connection. */
type ProxyAgent = Agent & {
  connectOpts: TcpNetConnectOpts
  connect(request: ClientRequest, options: ConnectOptions): Promise<Socket>
}

/**
 * Lets a request that is given up end its connection to the proxy: without a connection a request cannot be destroyed, and
 * a connection that nobody waits for keeps the process alive.
 */
function givingUp<A extends ProxyAgent>(agent: A): A {
  const connect = agent.connect.bind(agent)
  agent.connect = (request: ClientRequest, options: ConnectOptions): Promise<Socket> => {
    const { givenUp } = options as ConnectingOptions
    agent.connectOpts = { ...agent.connectOpts, ...(givenUp !== undefined && { signal: givenUp }) }
    return connect(request, options)
  }
  return agent
}
