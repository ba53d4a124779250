/**
 * What the desktop window and its host process say to each other, over the process's channel. The window never looks into a
 * page's frames: it passes text on, in pieces small enough that no turn of its event loop takes long.
 */

/** Characters of a frame that travel in one message, at most. */
export const PIECE = 1 << 16

/** `page` numbers a connection: a page that loses its host connects anew, under another number. */
export type ToHost =
  | { readonly kind: 'open'; readonly page: number }
  | { readonly kind: 'text'; readonly page: number; readonly text: string }
  /** The page has taken so many characters. */
  | { readonly kind: 'heard'; readonly page: number; readonly characters: number }
  | { readonly kind: 'closed'; readonly page: number }
  | { readonly kind: 'end' }

export type FromHost =
  /** What is done before pages are answered; `share` is 0..1, null where it isn't known. */
  | { readonly kind: 'setup'; readonly text: string; readonly share: number | null }
  | { readonly kind: 'ready' }
  /** It can't begin, and ends. `restorable`: whether the store is damaged and a whole backup of it is there. */
  | { readonly kind: 'failed'; readonly message: string; readonly restorable: boolean }
  /** A piece of a frame; `last` ends the frame. */
  | { readonly kind: 'text'; readonly page: number; readonly text: string; readonly last: boolean }
  | { readonly kind: 'close'; readonly page: number }
  | Work
  | ({ readonly kind: 'finished' } & Finished)

/** What goes on, for the task bar; `progress` is 0..1 of the search that runs, null where none does or nothing is known. */
export type Work = { readonly kind: 'work'; readonly running: number; readonly progress: number | null }

/** A search that came to its end. */
export type Finished = { readonly id: string; readonly name: string; readonly state: 'done' | 'failed' }
