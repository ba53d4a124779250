/** Mounts components of the page by themselves in a light document: no browser, no program; the test gives the answers. */
import './svelte.ts'
import { GlobalRegistrator } from '@happy-dom/global-registrator'
import type { HTMLElement, HTMLInputElement, Window } from 'happy-dom'
import assert from 'node:assert/strict'
import { after, type TestContext } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import type { Component } from 'svelte'
import type { Argument, EventFrame, Replies, RequestName } from '../../../shared/contract.ts'

GlobalRegistrator.register({ url: 'http://localhost/' })
// Its timers would keep the process alive.
after(() => GlobalRegistrator.unregister())
const { flushSync, mount, unmount } = await import('svelte')

/** What the program would answer: by request's name. */
export type Answers = {
  readonly [N in RequestName]?: (argument: Argument<N>) => Replies[N] | Promise<Replies[N]>
}
type Loaded = {
  readonly Page: new (connect: (onConnection: (now: { state: 'open' }) => void) => object) => {
    start(): () => void
  }
  pageContext(page: object): Map<unknown, unknown>
}
const load = async <T>(file: string): Promise<T> =>
  (await import(new URL(`../../../renderer/${file}`, import.meta.url).href)) as T

const EMPTY: Answers = {
  'app.info': () => ({ version: 'test', host: 'browser', dataFolder: '/data', seq: 0, facts: [] }),
  'searches.list': () => [],
  'workers.list': () => [],
  'transfers.list': () => [],
}

/** Time for a few frames of the document, milliseconds: answers have come by then, and what was put off to a frame is drawn. */
const FRAMES_MS = 50

export type Mounted = {
  readonly body: HTMLElement
  /** What the page has asked for so far, in order. */
  readonly asked: readonly { readonly name: string; readonly argument: unknown }[]
  /** Lets what is under way come to an end and the document follow. */
  settle(): Promise<void>
  /** Events as the program sends them. */
  send(frame: EventFrame): Promise<void>
  find(selector: string): HTMLElement
  /** Types into a field, all of its text at once. */
  type(selector: string, text: string): Promise<void>
  /** Waits until something is so; fails after five seconds. */
  until(is: () => boolean): Promise<void>
  address(): string
  go(address: string): Promise<void>
  readonly window: Window
}

const window = globalThis as unknown as Window

/** A component (its file in `renderer`) on a page of its own at an address, until the test ends. */
export const mountPart = async (
  t: TestContext,
  file: string,
  more: {
    readonly props?: Readonly<Record<string, unknown>>
    readonly address?: string
    readonly answers?: Answers
    /** Without a page around it. */
    readonly bare?: boolean
  } = {},
): Promise<Mounted> => {
  const { Page, pageContext } = await load<Loaded>('state/page.ts')
  const part = await load<{ default: Component }>(file)
  const asked: { name: string; argument: unknown }[] = []
  let listener = (_frame: EventFrame): void => undefined
  const answers: Record<string, ((argument: never) => unknown) | undefined> = { ...EMPTY, ...more.answers }
  window.location.hash = more.address ?? ''
  const page = new Page((onConnection) => {
    onConnection({ state: 'open' })
    return {
      request: async (name: string, argument: unknown) => {
        asked.push({ name, argument })
        const answer = answers[name]
        assert.ok(answer, `the page asked for ${name}, which the test does not answer`)
        return answer(argument as never)
      },
      subscribe: (_since: number, hear: typeof listener) => {
        listener = hear
        return () => undefined
      },
      retry: () => undefined,
    }
  })
  t.after(page.start())
  const body = window.document.createElement('div')
  window.document.body.append(body)
  const mounted = mount(part.default, {
    target: body as never,
    props: { ...more.props },
    context: more.bare ? new Map() : pageContext(page),
  })
  t.after(async () => {
    await unmount(mounted)
    body.remove()
  })
  const settle = async (): Promise<void> => {
    await sleep(FRAMES_MS)
    flushSync()
  }
  await settle()
  return {
    body,
    asked,
    settle,
    send: async (frame) => {
      listener(frame)
      await settle()
    },
    find: (selector) => {
      const found = body.querySelector(selector) as HTMLElement | null
      assert.ok(found, `needed ${selector}, got ${body.innerHTML}`)
      return found
    },
    type: async (selector, text) => {
      const field = body.querySelector(selector) as HTMLInputElement
      field.value = text
      field.dispatchEvent(new window.Event('input', { bubbles: true }))
      await settle()
    },
    until: async (is) => {
      for (let i = 0; i < 100 && !is(); i++) await settle()
      assert.ok(is(), `needed ${String(is)}, got ${body.innerHTML.slice(0, 2000)}`)
    },
    address: () => window.location.hash,
    go: async (address) => {
      window.location.hash = address
      await settle()
    },
    window,
  }
}
