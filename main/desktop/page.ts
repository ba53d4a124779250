import { EventEmitter } from 'node:events'
import type { PageSocket } from '../converse.ts'
import { PIECE, type FromHost } from './messages.ts'

/** A page behind the desktop window, as `converse` knows pages: its frames go out in pieces, and come back as heard. */
export class DesktopPage extends EventEmitter implements PageSocket {
  readonly OPEN = 1
  readyState = 1
  /** Characters on their way that the page has not heard. */
  bufferedAmount = 0
  readonly #page: number
  readonly #tell: (message: FromHost) => void
  #paused = false
  readonly #waiting: string[] = []

  constructor(page: number, tell: (message: FromHost) => void) {
    super()
    this.#page = page
    this.#tell = tell
  }

  send(text: string): void {
    if (this.readyState !== this.OPEN) return
    this.bufferedAmount += text.length
    for (let at = 0; at < text.length; at += PIECE)
      this.#tell({
        kind: 'text',
        page: this.#page,
        text: text.slice(at, at + PIECE),
        last: at + PIECE >= text.length,
      })
  }

  /** A frame of the page. */
  receive(text: string): void {
    if (this.#paused) this.#waiting.push(text)
    else this.emit('message', text)
  }

  heard(characters: number): void {
    this.bufferedAmount = Math.max(0, this.bufferedAmount - characters)
  }

  pause(): void {
    this.#paused = true
  }

  resume(): void {
    this.#paused = false
    while (!this.#paused && this.#waiting.length > 0) this.emit('message', this.#waiting.shift()!)
  }

  close(): void {
    this.terminate()
  }

  /** Ends the conversation from this side. */
  terminate(): void {
    if (this.readyState !== this.OPEN) return
    this.#tell({ kind: 'close', page: this.#page })
    this.leave()
  }

  /** The page has gone. */
  leave(): void {
    this.readyState = 3
    this.emit('close')
  }
}
