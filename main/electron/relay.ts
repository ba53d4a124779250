/** Passes frames between pages and the host process, unread. */
import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron'
import type { FromHost, ToHost } from '../desktop/messages.ts'
import { isOwn } from './address.ts'

/** A page's messages, as preload.cjs sends them: each with the number that the page gave its connection. */
export const CHANNELS = { open: 'open', text: 'text', heard: 'heard', close: 'close', told: 'told' } as const
/** What a page is told of its connection. */
export type Told =
  | { readonly kind: 'open' }
  | { readonly kind: 'close' }
  | { readonly kind: 'wait'; readonly text: string; readonly share: number | null }
  | { readonly kind: 'text'; readonly text: string; readonly last: boolean }

/** Characters of a page's frame, at most. */
const MOST_CHARACTERS = 1 << 20

/** Only the page itself is heard: the main frame, at one of the page's own addresses. */
export const isPage = ({ senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOwn(senderFrame.url)

type Link = { readonly page: number; readonly connection: number; open: boolean }

export type Relay = {
  /** The host answers from now on. */
  ready(): void
  /** The host is not ready yet: what it does meanwhile. */
  wait(text: string, share: number | null): void
  /** The host has gone: every page is told, and connects anew. */
  lost(): void
  pass(message: Extract<FromHost, { kind: 'text' | 'close' }>): void
}

export const relayPages = (
  ipc: Pick<IpcMain, 'on'>,
  host: () => { isReady(): boolean; send(message: ToHost): void },
): Relay => {
  const links = new Map<WebContents, Link>()
  const watched = new WeakSet<WebContents>()
  let last = 0

  const tell = (contents: WebContents, { connection }: Link, told: Told): void => {
    if (!contents.isDestroyed()) contents.send(CHANNELS.told, connection, told)
  }
  const open = (contents: WebContents, link: Link): void => {
    link.open = true
    host().send({ kind: 'open', page: link.page })
    tell(contents, link, { kind: 'open' })
  }
  const drop = (contents: WebContents): void => {
    const link = links.get(contents)
    links.delete(contents)
    if (link?.open) host().send({ kind: 'closed', page: link.page })
  }
  /** The open link that a message belongs to; null for one of another page, or of a connection that is over. */
  const linkOf = (event: IpcMainEvent, connection: unknown): Link | null => {
    const link = links.get(event.sender)
    return link?.open && isPage(event) && link.connection === connection ? link : null
  }

  ipc.on(CHANNELS.open, (event, connection: unknown) => {
    if (!isPage(event) || !Number.isSafeInteger(connection)) return
    const contents = event.sender
    if (!watched.has(contents)) contents.once('destroyed', () => drop(contents))
    watched.add(contents)
    drop(contents)
    const link = { page: ++last, connection: Number(connection), open: false }
    links.set(contents, link)
    if (host().isReady()) open(contents, link)
  })
  ipc.on(CHANNELS.text, (event, connection: unknown, text: unknown) => {
    const link = linkOf(event, connection)
    if (!link || typeof text !== 'string') return
    if (text.length <= MOST_CHARACTERS) return host().send({ kind: 'text', page: link.page, text })
    tell(event.sender, link, { kind: 'close' })
    drop(event.sender)
  })
  ipc.on(CHANNELS.heard, (event, connection: unknown, characters: unknown) => {
    const link = linkOf(event, connection)
    if (link && Number.isSafeInteger(characters))
      host().send({ kind: 'heard', page: link.page, characters: Number(characters) })
  })
  ipc.on(CHANNELS.close, (event, connection: unknown) => {
    if (linkOf(event, connection)) drop(event.sender)
  })

  return {
    ready: () => {
      for (const [contents, link] of links) if (!link.open) open(contents, link)
    },
    wait: (text, share) => {
      for (const [contents, link] of links)
        if (!link.open) tell(contents, link, { kind: 'wait', text, share })
    },
    lost: () => {
      // A page that waits for the host goes on waiting.
      for (const [contents, link] of links)
        if (link.open) {
          links.delete(contents)
          tell(contents, link, { kind: 'close' })
        }
    },
    pass: (message) => {
      for (const [contents, link] of links)
        if (link.page === message.page) {
          if (message.kind === 'close') links.delete(contents)
          const { page: _, ...told } = message
          tell(contents, link, told)
        }
    },
  }
}
