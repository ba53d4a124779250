/** What lies in a folder of images, links followed: image files, told by their first bytes, and all that is none. */
import fs from 'node:fs'
import path from 'node:path'
import { setImmediate } from 'node:timers/promises'
import { kindAt, readFolder, withFile } from '../../files.ts'
import type { Notes } from './notes.ts'

export type Folder = {
  readonly name: string
  /** Its path, and its image files' paths, below the folder that was listed. */
  readonly path: string
  readonly images: readonly string[]
  readonly folders: readonly Folder[]
}

const WHO = 'image folder'
/** What systems and tools leave behind, for no user to see. */
const HIDDEN = /^(\..*|__MACOSX|__pycache__|@eaDir|lost\+found|System Volume Information|\$RECYCLE\.BIN)$/i
const HIDDEN_FILES = /^(Thumbs\.db|ehthumbs\.db|desktop\.ini|Icon\r)$/i
const IMAGE_NAME = /\.(jpe?g|jpe|jfif|png|webp|gif|tiff?|avif)$/i
/** Images to their users that sharp's libvips does not read; raw photographs would give their thumbnails. */
const UNREAD =
  /\.(bmp|dib|heic|heif|jp2|j2k|jxl|psd|xcf|ico|icns|tga|pcx|p[bgnp]m|svgz?|eps|exr|hdr|dds|dcm|fits?|cr[23]|nef|arw|dng|orf|rw2|raf|raw)$/i

const IMAGES: readonly RegExp[] = [
  /^ffd8ff/, // JPEG
  /^89504e470d0a1a0a/, // PNG
  /^474946383[79]61/, // GIF
  /^52494646.{8}57454250/, // WebP
  /^(49492a00|4d4d002a|49492b00|4d4d002b)/, // TIFF
  /^.{8}66747970(61766966|61766973)/, // AVIF
]
const BMP = /^424d/

export const hasImages = (folder: Folder): boolean =>
  folder.images.length > 0 || folder.folders.some(hasImages)

/** Its images and those of all folders in it. */
export const allImages = (folder: Folder): string[] => [
  ...folder.images,
  ...folder.folders.flatMap(allImages),
]

/** All that lies below `root`; what is no image is told to `notes`. */
export const listFolder = async (root: string, notes: Notes): Promise<Folder> => {
  let looked = 0
  const list = async (below: string, above: readonly string[]): Promise<Folder> => {
    const here = path.join(root, below)
    const real = fs.realpathSync(here)
    const [images, folders]: [string[], Folder[]] = [[], []]
    for (const { name, kind } of entriesOf(here, below, notes)) {
      const at = path.join(below, name)
      // Lets the process's heartbeat out.
      if (++looked % 256 === 0) await setImmediate()
      if (HIDDEN.test(name) || HIDDEN_FILES.test(name)) notes.add('hidden files and folders', at)
      else if (name.includes('\uFFFD') && kindAt(path.join(root, at)) === null)
        notes.add('names that are not UTF-8', at)
      else if (kind === 'other') notes.add('links that lead nowhere, and what is neither file nor folder', at)
      else if (kind === 'file') {
        const what = whatIs(path.join(root, at), name)
        if (what === 'image') images.push(at)
        else notes.add(what, at)
      } else if ([...above, real].includes(fs.realpathSync(path.join(root, at))))
        notes.add('links back to a folder that they lie in', at)
      else folders.push(await list(at, [...above, real]))
    }
    return { name: path.basename(below), path: below, images, folders }
  }
  readFolder(root, WHO)
  return list('', [])
}

const entriesOf = (folder: string, below: string, notes: Notes): ReturnType<typeof readFolder> => {
  try {
    return readFolder(folder, WHO)
  } catch {
    notes.add('folders that can’t be opened', below)
    return []
  }
}

const whatIs = (file: string, name: string): string => {
  const format = UNREAD.exec(name)?.[1]?.toUpperCase()
  if (format) return `images left out, ${format} is not read`
  let start: string
  try {
    start = withFile(file, { who: WHO, most: Infinity }, ({ bytes, read }) =>
      read(0, Math.min(16, bytes)).toString('hex'),
    )
  } catch {
    return 'files that can’t be read'
  }
  if (IMAGES.some((magic) => magic.test(start))) return 'image'
  if (IMAGE_NAME.test(name)) return start === '' ? 'image files left out, they are empty' : UNREADABLE
  return BMP.test(start) ? 'images left out, BMP is not read' : 'files that are no images'
}

export const UNREADABLE = 'image files left out, they do not decode'
