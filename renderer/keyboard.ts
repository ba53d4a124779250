import type { Command } from './commands.ts'

/** Keys of one command follow each other within so many milliseconds. */
const PATIENCE = 1200

const inField = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement &&
  target.closest('input, textarea, select, dialog, [contenteditable]') !== null

/** Listens for the keys of commands, as `g l` or `?`; fields and dialogs keep their own. Returns what ends it. */
export const listenForKeys = (commands: () => readonly Command[], palette: () => void): (() => void) => {
  let typed = ''
  let last = 0
  const onKey = (event: KeyboardEvent): void => {
    if ((event.ctrlKey || event.metaKey) && event.key.toLowerCase() === 'k') {
      event.preventDefault()
      palette()
      return
    }
    if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || inField(event.target))
      return
    if (event.key.length > 1) return
    if (event.key === '/') {
      const field = document.querySelector<HTMLInputElement>('input[data-filter]')
      if (!field) return
      event.preventDefault()
      field.focus()
      field.select()
      return
    }
    const now = event.timeStamp
    // A sheet of keys names them as on the keyboard: shifted or not.
    const key = event.key.toLowerCase()
    typed = now - last < PATIENCE && typed !== '' ? `${typed} ${key}` : key
    last = now
    const all = commands()
    const found = all.find((command) => command.keys === typed)
    if (found) {
      event.preventDefault()
      typed = ''
      found.run()
    } else if (!all.some((command) => command.keys?.startsWith(`${typed} `))) typed = ''
  }
  window.addEventListener('keydown', onKey)
  return () => window.removeEventListener('keydown', onKey)
}
