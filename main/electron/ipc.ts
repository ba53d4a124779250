import type { IpcMain, IpcMainEvent, IpcMainInvokeEvent, WebContents } from 'electron'
import { z } from 'zod'
import type { Api } from '../api.ts'
import { isOwn } from './address.ts'

/** Names of the calls, as preload.cjs makes them. */
export const CHANNELS = { request: 'request', subscribe: 'subscribe', events: 'events' } as const

const subscribeSchema = z.strictObject({ subscribe: z.strictObject({ since: z.int().min(0) }) })

/** Only the page itself is answered: the main frame, at one of the page's own addresses. */
const isPage = ({ senderFrame }: IpcMainEvent | IpcMainInvokeEvent): boolean =>
  senderFrame !== null && senderFrame.parent === null && isOwn(senderFrame.url)

/** Carries the contract's frames between the preload's bridge and the api. */
export const answerPages = (
  ipc: Pick<IpcMain, 'handle' | 'on'>,
  api: Pick<Api, 'request' | 'subscribe'>,
): void => {
  const subscriptions = new Map<WebContents, () => void>()
  const unsubscribe = (page: WebContents): void => {
    subscriptions.get(page)?.()
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
    const stop = api.subscribe(asked.data.subscribe.since, (events) => {
      if (!page.isDestroyed()) page.send(CHANNELS.events, events)
    })
    subscriptions.set(page, stop)
  })
}
