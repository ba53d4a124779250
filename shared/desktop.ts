/** What the desktop window's preload gives the page beside a browser's own: the types of both ends. */

/** The line to the host, as a WebSocket would be: frames are JSON texts. */
export type Line = {
  send(text: string): void
  close(): void
}
export type LineListener = {
  open(): void
  text(text: string): void
  /** Told once, when the line is lost; not where the page closed it. */
  close(): void
}

export type Desktop = {
  connect(listener: LineListener): Line
}
