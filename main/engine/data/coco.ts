/** COCO's instances format (cocodataset.org/#format-data): one JSON file of annotations a split, and its images. */
import fs from 'node:fs'
import path from 'node:path'
import { readText } from '../../files.ts'
import { parseCounts, requireFull, type Box, type Rle } from '../metrics/mask.ts'
import { polygonsMask } from '../metrics/polygon.ts'
import { checker, type Checker } from './checker.ts'
import { openImage } from './image.ts'
import type { AnnotatedImage, Instance, InstanceSet } from './instances.ts'

export type CocoSplit = { readonly name: string; readonly annotations: string; readonly images: string }

/** The splits of a folder laid out as COCO's: annotations/instances_<split>.json beside <split>/. */
export const cocoSplits = (folder: string): CocoSplit[] => {
  const annotations = path.join(folder, 'annotations')
  const names = fs.existsSync(annotations) ? fs.readdirSync(annotations).sort() : []
  const splits = names.flatMap((file) => {
    const name = /^instances_(.+)\.json$/.exec(file)?.[1]
    return name === undefined
      ? []
      : [{ name, annotations: path.join(annotations, file), images: path.join(folder, name) }]
  })
  if (splits.length === 0)
    throw new Error(`coco: ${folder}: needed annotations/instances_<split>.json, found none`)
  for (const { name, images } of splits)
    if (!fs.existsSync(images)) throw new Error(`coco: ${folder}: needed the images of ${name} in ${images}`)
  return splits
}

type Json = Readonly<Record<string, unknown>>
type Entry = { readonly image: ImageEntry; readonly annotations: Json[] }
type ImageEntry = {
  readonly id: number
  readonly file: string
  readonly height: number
  readonly width: number
}

/**
 * Reads a split. Everything is checked here but what lies in image files and in polygons and run lengths, which are
 * checked where they are used: rasterising the whole of COCO would take minutes.
 */
export const readCoco = ({ annotations: file, images: folder }: CocoSplit): InstanceSet => {
  const check = checker(`coco: ${file}`)
  const json = check.object(readJson(file), 'the file')
  const listOf = (key: string): Json[] =>
    check.array(json[key], key).map((entry, i) => check.object(entry, `${key}[${i}]`))

  const names = new Map(
    listOf('categories').map((entry, i) => [
      check.whole(entry['id'], `categories[${i}].id`),
      check.text(entry['name'], `categories[${i}].name`),
    ]),
  )
  const ids = [...names.keys()].sort((a, b) => a - b)
  const indices = new Map(ids.map((id, index) => [id, index]))

  const entries = new Map<number, Entry>()
  for (const [i, entry] of listOf('images').entries()) {
    const image = imageEntry(entry, i, folder, check)
    if (entries.has(image.id)) check.fail(`image ${image.id}`, 'an id of its own', 'the same id twice')
    entries.set(image.id, { image, annotations: [] })
  }
  for (const [i, annotation] of listOf('annotations').entries()) {
    const who = `annotation ${check.whole(annotation['id'], `annotations[${i}].id`)}`
    const entry = entries.get(check.whole(annotation['image_id'], `${who}: image_id`))
    if (!entry) return check.fail(who, 'the id of an image', annotation['image_id'])
    if (!indices.has(check.whole(annotation['category_id'], `${who}: category_id`)))
      check.fail(who, 'the id of a category', annotation['category_id'])
    entry.annotations.push(annotation)
  }
  return {
    categories: ids.map((id) => names.get(id)!),
    images: [...entries.values()].map(({ image, annotations }) => ({
      ...annotated(image),
      instances: () => annotations.map((annotation) => instance(annotation, image, indices, check)),
    })),
  }
}

/** V8's strings end there; COCO's largest file has 469 MB. */
const LARGEST = 2 ** 29 - 24

const readJson = (file: string): unknown => {
  const text = readText(file, { who: 'coco', most: LARGEST })
  try {
    return JSON.parse(text)
  } catch (error) {
    throw new Error(`coco: ${file}: needed JSON, got text that is none (${(error as Error).message})`, {
      cause: error,
    })
  }
}

const imageEntry = (entry: Json, index: number, folder: string, check: Checker): ImageEntry => {
  const id = check.whole(entry['id'], `images[${index}].id`)
  const name = check.text(entry['file_name'], `image ${id}: file_name`)
  const file = path.resolve(folder, name)
  if (!file.startsWith(path.resolve(folder) + path.sep))
    check.fail(`image ${id}`, `a file inside ${folder}`, name)
  if (!fs.existsSync(file)) check.fail(`image ${id}`, `the file ${file}`, 'none')
  return {
    id,
    file,
    height: check.positive(entry['height'], `image ${id}: height`),
    width: check.positive(entry['width'], `image ${id}: width`),
  }
}

const annotated = ({ id, file, height, width }: ImageEntry): Omit<AnnotatedImage, 'instances'> => ({
  id,
  height,
  width,
  source: file,
  pixels: async (toHeight = height, toWidth = width) => {
    const who = `coco: ${file}: image ${id}`
    const picture = openImage(file, 'coco')
    const read = async <T>(work: Promise<T>): Promise<T> => {
      try {
        return await work
      } catch (error) {
        throw new Error(
          `${who}: needed a JPEG or PNG, got what does not decode (${(error as Error).message})`,
          {
            cause: error,
          },
        )
      }
    }
    const found = await read(picture.metadata())
    if (found.height !== height || found.width !== width)
      throw new Error(`${who}: needed ${height}×${width} as annotated, got ${found.height}×${found.width}`)
    // As annotated: no turning by the camera's orientation tag. Grey and CMYK become RGB.
    return read(
      picture.resize(toWidth, toHeight, { fit: 'fill' }).flatten().toColourspace('srgb').raw().toBuffer(),
    )
  },
})

const instance = (
  annotation: Json,
  image: ImageEntry,
  categories: ReadonlyMap<number, number>,
  check: Checker,
): Instance => {
  const id = annotation['id'] as number
  const who = `image ${image.id}, annotation ${id}`
  const crowd = annotation['iscrowd'] ?? 0
  if (crowd !== 0 && crowd !== 1) check.fail(`${who}: iscrowd`, '0 or 1', crowd)
  return {
    id,
    category: categories.get(annotation['category_id'] as number)!,
    box: boxOf(annotation['bbox'], `${who}: bbox`, check),
    area: check.finite(annotation['area'], `${who}: area`),
    crowd: crowd === 1,
    mask: segment(annotation['segmentation'], image, who, check),
  }
}

const boxOf = (value: unknown, who: string, check: Checker): Box => {
  const [x, y, width, height] = check.array(value, who).map((v) => check.finite(v, who))
  if (
    x === undefined ||
    y === undefined ||
    width === undefined ||
    height === undefined ||
    width < 0 ||
    height < 0
  )
    return check.fail(who, '[x, y, width, height]', value)
  return [x, y, width, height]
}

/** Polygons, or run lengths plain or compressed. */
const segment = (value: unknown, { height, width }: ImageEntry, who: string, check: Checker): Rle => {
  try {
    if (Array.isArray(value)) {
      const polygons = value.map((polygon) => check.array(polygon, `${who}: segmentation`) as number[])
      return polygonsMask(polygons, height, width)
    }
    const { size, counts } = check.object(value, `${who}: segmentation`)
    const [h, w] = check.array(size, `${who}: segmentation.size`)
    if (h !== height || w !== width)
      check.fail(`${who}: segmentation.size`, `the image's [${height}, ${width}]`, JSON.stringify(size))
    if (typeof counts === 'string') return parseCounts(counts, height, width)
    return requireFull({
      height,
      width,
      counts: check.array(counts, `${who}: segmentation.counts`) as number[],
    })
  } catch (error) {
    const { message } = error as Error
    throw message.startsWith('coco:')
      ? error
      : new Error(`${check.who}: ${who}: ${message}`, { cause: error })
  }
}
