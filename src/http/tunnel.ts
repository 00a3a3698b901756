/** Agents for requests through a proxy, with fixes for what the proxy libraries lack. */

import type { Agent, ClientRequest, RequestOptions } from 'node:http'
import type { AgentOptions } from 'node:https'
import type { Socket, TcpNetConnectOpts } from 'node:net'
import { HttpProxyAgent } from 'http-proxy-agent'
import { HttpsProxyAgent } from 'https-proxy-agent'

/** An agent that forwards plain HTTP requests through a proxy. */
export function forwardingAgent(proxy: URL, options: AgentOptions): Agent {
  return withAbortableConnect(new HttpProxyAgent(proxy, options))
}

/** An agent that tunnels to an HTTPS server through a proxy. */
export function tunnelAgent(proxy: URL, options: AgentOptions): Agent {
  const agent = withAbortableConnect(new HttpsProxyAgent(proxy, options))
  // The library applies the TLS options only to the connection with the proxy, not to the server behind it.
  return Object.assign(agent, { options: { ...agent.options, ...options } })
}

/** Options of a request with a signal that aborts connecting. Node does not pass a request's own `signal` on to agents. */
export type ConnectingOptions = RequestOptions & { readonly cancelled?: AbortSignal }

type ConnectOptions = Parameters<HttpsProxyAgent<string>['connect']>[1]

/** The common interface of both proxy agents. `connect` receives the options of each request. */
type ProxyAgent = Agent & {
  connectOpts: TcpNetConnectOpts
  connect(request: ClientRequest, options: ConnectOptions): Promise<Socket>
}

/**
 * Makes an aborted request also abort its connection attempt to the proxy. Destroying a request that has no connection yet does
 * not stop the attempt, and the attempt would keep the process alive.
 */
function withAbortableConnect<A extends ProxyAgent>(agent: A): A {
  const connect = agent.connect.bind(agent)
  agent.connect = (request: ClientRequest, options: ConnectOptions): Promise<Socket> => {
    const { cancelled } = options as ConnectingOptions
    agent.connectOpts = { ...agent.connectOpts, ...(cancelled !== undefined && { signal: cancelled }) }
    return connect(request, options)
  }
  return agent
}
