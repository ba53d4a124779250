/** Files that a user opens by the menu, a double click or the command line. */
import { open } from 'node:fs/promises'
import path from 'node:path'
import type { OpenedFile } from '../../shared/desktop.ts'

/** Larger is no layer. */
const MOST_BYTES = 1 << 20

/** A file for the page to read; throws a sentence where it can't be one. */
export const readOpened = async (file: string): Promise<OpenedFile> => {
  const name = path.basename(file)
  const handle = await open(file, 'r').catch((error: NodeJS.ErrnoException) => {
    throw new Error(`${name} can’t be opened (${error.code ?? error.message})`)
  })
  try {
    const stats = await handle.stat()
    if (!stats.isFile()) throw new Error(`${name} is no file`)
    if (stats.size > MOST_BYTES) throw new Error(`${name} is too large for a layer`)
    return { name, text: await handle.readFile('utf8') }
  } finally {
    await handle.close()
  }
}

/** What a command line asks to be opened: files, and an address of the page ("normforge://search/…"). */
export const openedBy = (
  argv: readonly string[],
  folder: string,
): { files: string[]; route: string | null } => {
  const named = argv.filter((argument) => !argument.startsWith('-'))
  const address = named.find((argument) => argument.startsWith('normforge://'))
  const path_ = address?.slice('normforge://'.length).replace(/\/$/, '') ?? ''
  return {
    files: named
      .filter((argument) => /\.json$/i.test(argument) && argument !== address)
      .map((argument) => path.resolve(folder, argument)),
    route: address !== undefined && /^[\w/-]*$/.test(path_) ? `#/${path_}` : null,
  }
}
