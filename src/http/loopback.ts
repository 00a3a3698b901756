/** Recognises loopback addresses. */

import { BlockList, isIP } from 'node:net'

/** @param name a host name, or an IP address with or without brackets */
export function isLoopback(name: string): boolean {
  const host = name.replace(/^\[|\]$/g, '')
  const version = isIP(host)
  if (version === 0) return host.toLowerCase() === 'localhost'
  const loopback = new BlockList()
  loopback.addSubnet('127.0.0.0', 8, 'ipv4')
  loopback.addAddress('::1', 'ipv6')
  return loopback.check(host, version === 4 ? 'ipv4' : 'ipv6')
}
