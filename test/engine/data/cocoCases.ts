/** Small folders in COCO's layout, made for one test. */
import fs from 'node:fs'
import path from 'node:path'
import sharp, { type Sharp } from 'sharp'

export type CocoJson = {
  images: { id: number; file_name: string; height: number; width: number }[]
  annotations: {
    id: number
    image_id: number
    category_id: number
    bbox: number[]
    area: number
    iscrowd: number
    segmentation: unknown
  }[]
  categories: { id: number; name: string }[]
}
export const HEIGHT = 64
export const WIDTH = 80

/** A picture that no other has: noise from its number. */
export const picture = (seed: number, height = HEIGHT, width = WIDTH): Sharp => {
  let state = seed * 2654435761
  const pixels = Uint8Array.from({ length: height * width * 3 }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return state >>> 24
  })
  return sharp(pixels, { raw: { width, height, channels: 3 } })
}

const square = (id: number, image: number, category: number, x: number) => ({
  id,
  image_id: image,
  category_id: category,
  bbox: [x, 10, 24, 30],
  area: 720,
  iscrowd: 0,
  segmentation: [[x, 10, x + 24, 10, x + 24, 40, x, 40]],
})

/** Two objects an image, categories 1 cat, 2 dog, 3 fox in turn. */
export const cocoJson = (ids: readonly number[]): CocoJson => ({
  images: ids.map((id) => ({ id, file_name: `${id}.png`, height: HEIGHT, width: WIDTH })),
  annotations: ids.flatMap((id) => [
    square(10 * id, id, 1 + (id % 3), 8),
    square(10 * id + 1, id, 1 + ((id + 1) % 3), 38),
  ]),
  categories: [
    { id: 1, name: 'cat' },
    { id: 2, name: 'dog' },
    { id: 3, name: 'fox' },
  ],
})

/** Writes splits with their pictures, each of its own number. A text is written as it is. */
export const writeCoco = async (
  folder: string,
  splits: Readonly<Record<string, CocoJson | { json: CocoJson; text: string }>>,
): Promise<string> => {
  fs.mkdirSync(path.join(folder, 'annotations'), { recursive: true })
  for (const [name, split] of Object.entries(splits)) {
    const { json, text } = 'text' in split ? split : { json: split, text: JSON.stringify(split) }
    fs.writeFileSync(path.join(folder, 'annotations', `instances_${name}.json`), text)
    fs.mkdirSync(path.join(folder, name), { recursive: true })
    for (const { id, file_name } of json.images)
      await picture(id)
        .png()
        .toFile(path.join(folder, name, file_name))
  }
  return folder
}
