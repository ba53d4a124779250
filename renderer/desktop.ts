/** What the desktop window adds to the page. */
import { tick } from 'svelte'
import type { OpenedFile } from '../shared/desktop.ts'
import type { Page } from './state/page.ts'

/** A file that is opened by the window's menu counts as dropped on the page; whether something took it. */
const dropped = ({ name, text }: OpenedFile): boolean => {
  const dataTransfer = new DataTransfer()
  dataTransfer.items.add(new File([text], name))
  return !window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }))
}

/** Takes opened files from now on. A layer joins a search that runs: the one at hand is shown for it. */
export const takeFiles = (page: Page): void =>
  window.normforge?.onFile((file) => {
    void (async () => {
      if (dropped(file)) return
      const search = page.searches.current
      if (search) {
        page.router.show('live', search.search.id)
        // The address changes in a task of its own, then the view.
        await new Promise((resolve) => setTimeout(resolve))
        await tick()
        if (dropped(file)) return
      }
      page.notices.note(
        'error',
        `${file.name} was not opened: a layer joins a search, and none takes one now.`,
      )
    })()
  })
