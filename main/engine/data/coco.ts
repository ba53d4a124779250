/** COCO's instances format (cocodataset.org/#format-data): one JSON file of annotations a split, and its images. */
import path from 'node:path'
import { getHeapStatistics } from 'node:v8'
import type { Sharp } from 'sharp'
import { kindAt, textOf } from '../../files.ts'
import type { Box } from '../metrics/mask.ts'
import { checker, type Checker } from './checker.ts'
import { readObject, type CocoObject, type Json } from './cocoObject.ts'
import { pixelHash } from './copies.ts'
import { imageFault, openImage, readImageFile, toRgb } from './image.ts'
import type { AnnotatedImage } from './instances.ts'
import { visitLists, type Visitors } from './jsonLists.ts'
import { createNotes, type Notes } from './notes.ts'
import { maskOfOutline, outlineBytes } from './outline.ts'

export type CocoSplit = { readonly name: string; readonly annotations: string; readonly images: string }

export type CocoImage = AnnotatedImage & {
  /** The category of each of its objects. */
  readonly labels: readonly number[]
  /** A hash of its pixels; without decoding, of its file. Throws where the file is not as annotated. */
  identity(decode: boolean): Promise<string>
}
export type CocoImages = { readonly categories: readonly string[]; readonly images: readonly CocoImage[] }

/** A category's id to its name. */
export type Categories = ReadonlyMap<number, string>

type ImageEntry = {
  readonly id: number
  readonly file: string
  readonly height: number
  readonly width: number
}
/** Pixels a side: JPEG's own limit. The annotated size is what masks are made of, whatever the file says. */
const LARGEST_SIDE = 65_535

export type CocoOptions = {
  readonly categories?: Categories
  readonly notes?: Notes
  readonly whole?: number
  readonly used?: <T>(images: readonly T[]) => readonly T[]
  readonly most?: number
}

/** The part of the process's heap that objects may take: training needs some, too. */
const SHARE = 0.6
/** Bytes that an object takes beside its outline's text: at most, as measured. */
const OBJECT = 320

/** Visits the objects of a file's lists. */
const visitObjects = (
  file: string,
  check: Checker,
  visitors: Readonly<Record<string, (entry: Json, index: number) => void>>,
  whole?: number,
): Promise<void> => {
  const checked: Visitors = Object.fromEntries(
    Object.entries(visitors).map(([key, visit]) => [
      key,
      (entry: unknown, i: number) => visit(check.object(entry, `${key}[${i}]`), i),
    ]),
  )
  return visitLists(file, 'coco', checked, whole)
}

/** The categories of a file, and how many images it lists. */
export const readCategories = async (
  file: string,
  whole?: number,
): Promise<{ categories: Categories; images: number }> => {
  const check = checker(`coco: ${file}`)
  const categories = new Map<number, string>()
  let images = 0
  const visitors = {
    categories: (entry: Json, i: number) => {
      const id = check.whole(entry['id'], `categories[${i}].id`)
      const name = check.text(entry['name'], `categories[${i}].name`)
      if (categories.has(id))
        check.fail(`category ${id}`, 'an id of its own', `it twice, as ${categories.get(id)} and as ${name}`)
      categories.set(id, name)
    },
    images: () => {
      images += 1
    },
  }
  await visitObjects(file, check, visitors, whole)
  return { categories, images }
}

/**
 * Reads a split. Everything is checked here but what lies in image files, polygons and run lengths included, so that no
 * fault shows only when an image happens to be drawn. Objects are cut to their images; those of which nothing is left are
 * dropped, and counted in `notes`. `categories` are the folder's (see `cocoFolder.ts`); without them the file's own.
 * `used` names the images that are given back, in their order; of the others nothing is kept. What is kept is refused past
 * `most` bytes, before memory runs out.
 */
export const readCoco = async (
  { annotations: file, images: folder }: CocoSplit,
  {
    categories,
    notes = createNotes(),
    whole,
    used = (all) => all,
    most = SHARE * getHeapStatistics().heap_size_limit,
  }: CocoOptions = {},
): Promise<CocoImages> => {
  const check = checker(`coco: ${file}`)
  const own = categories ?? (await readCategories(file, whole)).categories
  const ids = [...own.keys()].sort((a, b) => a - b)
  const indices = new Map(ids.map((id, index) => [id, index]))

  const entries = new Map<number, { readonly image: ImageEntry; readonly objects: CocoObject[] }>()
  let kept: ReadonlySet<number> = new Set()
  let bytes = 0
  const readImage = (json: Json, i: number): void => {
    const image = imageEntry(json, i, folder, check)
    if (entries.has(image.id)) check.fail(`image ${image.id}`, 'an id of its own', 'the same id twice')
    entries.set(image.id, { image, objects: [] })
  }
  const readAnnotation = (json: Json, i: number): void => {
    const id = check.whole(json['id'], `annotations[${i}].id`)
    const who = `annotation ${id}`
    const entry = entries.get(check.whole(json['image_id'], `${who}: image_id`))
    if (!entry) return check.fail(who, 'the id of an image', json['image_id'])
    const category = indices.get(check.whole(json['category_id'], `${who}: category_id`))
    if (category === undefined) return check.fail(who, 'the id of a category', json['category_id'])
    const object = readObject(json, category, entry.image, check)
    const where = `annotation ${id} of image ${entry.image.id} in ${path.basename(file)}`
    if (typeof object === 'string') return notes.add(DROPPED[object], where)
    if (kept.has(entry.image.id)) {
      entry.objects.push(object)
      bytes += OBJECT + outlineBytes(object.outline)
      if (bytes > most)
        check.fail(
          `annotation ${id}`,
          `at most ${textOf(most)} for the objects of ${kept.size.toLocaleString('en')} images`,
          'more with this one; set fewer images to train on',
        )
    }
    const [, , width, height] = json['bbox'] as Box
    if (width - object.box[2] >= 1 || height - object.box[3] >= 1)
      notes.add("boxes cut off at the image's edge", where)
  }
  // Twice through the file: masks need their image's size, and lists come in any order.
  await visitObjects(file, check, { images: readImage }, whole)
  const images = used([...entries.values()])
  kept = new Set(images.map(({ image }) => image.id))
  await visitObjects(file, check, { annotations: readAnnotation }, whole)
  return {
    categories: ids.map((id) => own.get(id)!),
    images: images.map(({ image, objects }) => ({
      ...annotated(image),
      labels: objects.map(({ category }) => category),
      instances: () =>
        objects.map(({ outline, ...object }) => ({
          ...object,
          mask: maskOfOutline(outline, image.height, image.width),
        })),
    })),
  }
}

const DROPPED = {
  outside: 'objects left out, their boxes hold nothing of the image',
  empty: 'objects left out, their masks hold no pixel of the image',
} as const

const imageEntry = (entry: Json, index: number, folder: string, check: Checker): ImageEntry => {
  const id = check.whole(entry['id'], `images[${index}].id`)
  const name = check.text(entry['file_name'], `image ${id}: file_name`)
  const file = path.resolve(folder, name)
  if (!file.startsWith(path.resolve(folder) + path.sep))
    check.fail(`image ${id}`, `a file inside ${folder}`, name)
  if (kindAt(file) !== 'file') check.fail(`image ${id}`, `the file ${file}`, kindAt(file) ?? 'none')
  const side = (key: string): number => {
    const value = check.positive(entry[key], `image ${id}: ${key}`)
    return value <= LARGEST_SIDE
      ? value
      : check.fail(`image ${id}: ${key}`, `at most ${LARGEST_SIDE} pixels`, value)
  }
  return { id, file, height: side('height'), width: side('width') }
}

const annotated = ({
  id,
  file,
  height,
  width,
}: ImageEntry): Pick<CocoImage, 'id' | 'height' | 'width' | 'source' | 'pixels' | 'identity'> => {
  const who = `coco: ${file}: image ${id}`
  const read = async <T>(work: Promise<T>): Promise<T> => {
    try {
      return await work
    } catch (error) {
      throw new Error(`${who}: needed an image, got what does not decode (${imageFault(error)})`, {
        cause: error,
      })
    }
  }
  const open = async (): Promise<Sharp> => {
    const picture = openImage(file, 'coco')
    const found = await read(picture.metadata())
    if (found.height === height && found.width === width) return picture
    const turned = found.height === width && found.width === height && (found.orientation ?? 1) > 4
    const hint = turned ? "; the annotated size is that of the picture turned by its camera's tag" : ''
    throw new Error(
      `${who}: needed ${height}×${width} as annotated, got ${found.height}×${found.width}${hint}`,
    )
  }
  const pixels = async (toHeight = height, toWidth = width): Promise<Uint8Array> =>
    read(toRgb((await open()).resize(toWidth, toHeight, { fit: 'fill' })))
  return {
    id,
    height,
    width,
    source: file,
    pixels,
    identity: async (decode) => {
      if (decode) return `${height} ${pixelHash(await pixels())}`
      await open()
      return pixelHash(readImageFile(file, 'coco'))
    },
  }
}
