/** What the desktop window's preload gives the page beside a browser's own: the types of both ends. */

/** The line to the host, as a WebSocket would be: frames are JSON texts. */
export type Line = {
  send(text: string): void
  close(): void
}
export type LineListener = {
  open(): void
  /** What the host does before it answers; `share` is 0..1, null where it isn't known. */
  wait(text: string, share: number | null): void
  text(text: string): void
  /** Told once, when the line is lost; not where the page closed it. */
  close(): void
}

/** A file that the user opened by the menu, a double click or the command line. */
export type OpenedFile = { readonly name: string; readonly text: string }

export type Desktop = {
  connect(listener: LineListener): Line
  /** Asks the user for a folder; null where they named none. */
  chooseFolder(): Promise<string | null>
  /** Where a dropped file or folder lies on this machine. */
  pathOf(file: object): string
  onFile(listener: (file: OpenedFile) => void): void
}
