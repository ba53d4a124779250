import type { Api } from '../api.ts'
import type { Connection } from '../socket.ts'

export type Connect = (onConnection: (now: Connection) => void) => Api

/** The way to the program: requests, the subscription to its events, and whether it can be reached. */
export class Link {
  connection = $state.raw<Connection>({ state: 'connecting' })
  /** Called after each time that the connection is made. */
  onopen = (): void => undefined
  readonly request: Api['request']
  readonly subscribe: Api['subscribe']
  readonly retry: Api['retry']

  constructor(connect: Connect) {
    const api = connect((now) => {
      this.connection = now
      // The first call may come while the api is still being made.
      if (now.state === 'open') queueMicrotask(() => this.onopen())
    })
    this.request = api.request
    this.subscribe = api.subscribe
    this.retry = api.retry
  }
}
