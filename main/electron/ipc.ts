import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { isOwn } from './address.ts'

/** Names of the calls, as preload.cjs makes them. */
export const CHANNELS = {
  request: 'request',
  subscribe: 'subscribe',
  events: 'events',
  heard: 'heard',
} as const

/** Frames of events on their way to a page that hangs, at most: the others wait in the store. */
const UNHEARD = 16

const subscribeSchema = z.strictObject({ subscribe: z.strictObject({ since: z.int().min(0) }) })

/** Only the page itself is answered: the main frame, at one of the page's own addresses. */
const isPage = ({ senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOwn(senderFrame.url)

/** Carries the contract's frames between the preload's bridge and the api. */
export const answerPages = (
  ipc: Pick<IpcMain, 'handle' | 'on'>,
  api: Pick<Api, 'request' | 'subscribe'>,
): void => {
  const subscriptions = new Map<WebContents, { readonly stop: () => void; unheard: number }>()
  const unsubscribe = (page: WebContents): void => {
    subscriptions.get(page)?.stop()
    subscriptions.delete(page)
  }

  ipc.handle(CHANNELS.request, (event, frame: unknown) => {
    if (!isPage(event))
      throw new Error(`ipc: needs a request of the page, got one from ${event.senderFrame?.url}`)
    return api.request(frame)
  })

  ipc.on(CHANNELS.subscribe, (event, frame: unknown) => {
    const asked = subscribeSchema.safeParse(frame)
    if (!isPage(event) || !asked.success) return
    const page = event.sender
    if (!subscriptions.has(page)) page.once('destroyed', () => unsubscribe(page))
    unsubscribe(page)
    const subscription = { stop: (): void => undefined, unheard: 0 }
    subscriptions.set(page, subscription)
    subscription.stop = api.subscribe(
      asked.data.subscribe.since,
      (events) => {
        if (page.isDestroyed()) return
        subscription.unheard++
        page.send(CHANNELS.events, events)
      },
      () => subscription.unheard < UNHEARD,
    )
  })

  ipc.on(CHANNELS.heard, (event) => {
    const subscription = subscriptions.get(event.sender)
    if (subscription && isPage(event)) subscription.unheard = Math.max(0, subscription.unheard - 1)
  })
}
