import { readFile } from 'node:fs/promises'
import type { Socket } from 'node:net'

const hex = (port: number): string => port.toString(16).toUpperCase().padStart(4, '0')

/**
 * The user (uid) whose process holds the other end of a loopback connection, from Linux's table of its connections;
 * null where that can't be told.
 */
export const userAtOtherEnd = async ({
  localPort,
  remotePort,
}: Pick<Socket, 'localPort' | 'remotePort'>): Promise<number | null> => {
  if (localPort === undefined || remotePort === undefined) return null
  const table = await readFile('/proc/net/tcp', 'latin1').catch(() => '')
  for (const line of table.split('\n')) {
    // Columns: slot, its own address, the other end's, state, queues, timer, retransmissions, uid, …
    const [, own, other, , , , , uid] = line.trim().split(/\s+/)
    if (own?.endsWith(`:${hex(remotePort)}`) && other?.endsWith(`:${hex(localPort)}`)) return Number(uid)
  }
  return null
}
