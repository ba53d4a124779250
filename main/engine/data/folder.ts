import fs from 'node:fs'
import path from 'node:path'
import { createRandom } from '../../../shared/random.ts'
import type { DataConfig } from '../../../shared/records.ts'
import { split, type DataSet } from './dataset.ts'
import { openImage } from './image.ts'

const IMAGE = /\.(jpe?g|png)$/i

/** Classes (sub-folders, by name) and the image files of each. */
const listing = (folder: string): { classes: string[]; files: { file: string; label: number }[] } => {
  if (!fs.existsSync(folder)) throw new Error(`image folder: needed a folder, found nothing at ${folder}`)
  const entries = fs.readdirSync(folder, { withFileTypes: true })
  const classes = entries
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort()
  if (classes.length < 2)
    throw new Error(
      `image folder: ${folder}: needed a sub-folder for each of at least 2 classes, got ${classes.length}`,
    )
  if (classes.length > 256)
    throw new Error(`image folder: ${folder}: needed at most 256 classes, got ${classes.length}`)
  const files = classes.flatMap((name, label) => {
    const found = fs.readdirSync(path.join(folder, name)).filter((file) => IMAGE.test(file))
    if (found.length === 0)
      throw new Error(`image folder: ${path.join(folder, name)}: needed JPEG or PNG files, found none`)
    return found.sort().map((file) => ({ file: path.join(folder, name, file), label }))
  })
  return { classes, files }
}

export const countFolder = (config: DataConfig): { classes: string[]; images: number } => {
  const { classes, files } = listing(config.path!)
  return { classes, images: files.length }
}

/** JPEG and PNG files, one sub-folder a class; the shorter side fits the image size, the middle is cut out. */
export const loadFolder = async (config: DataConfig): Promise<DataSet> => {
  const { classes, files } = listing(config.path!)
  const size = config.imageSize
  const bytes = size * size * 3
  const images = new Uint8Array(files.length * bytes)
  for (const [i, { file }] of files.entries()) {
    const picture = openImage(file, 'image folder')
    try {
      const pixels = await picture
        .resize(size, size, { fit: 'cover' })
        .removeAlpha()
        .toColourspace('srgb')
        .raw()
        .toBuffer()
      if (pixels.length !== bytes) throw new Error(`needed ${bytes} bytes of RGB, got ${pixels.length}`)
      images.set(pixels, i * bytes)
    } catch (error) {
      throw new Error(`image folder: ${file}: not a readable image (${(error as Error).message})`, {
        cause: error,
      })
    }
  }
  const labels = Uint8Array.from(files, ({ label }) => label)
  const order = createRandom('folder split').shuffle([...files.keys()])
  return {
    classes,
    imageSize: size,
    ...split(
      { images, labels, count: files.length },
      size,
      order,
      config.validationImages,
      config.trainingImages,
    ),
  }
}
