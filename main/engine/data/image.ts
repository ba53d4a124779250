/** Image files, decoded by sharp (libvips): raster formats alone, by their content and not by their name. */
import sharp, { type Sharp } from 'sharp'
import { readBytes } from '../../files.ts'

/** SVG, for one, is a program that draws, and reads other files. libvips names its loaders so; Heif reads AVIF alone. */
const FORMATS = ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif', 'Heif'].map((name) => `VipsForeignLoad${name}`)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: FORMATS })

/** Bytes of a file. */
const LARGEST = 2 ** 28
/** Pixels of a picture, 10,000 × 10,000: a few hundred bytes can unfold to any number. */
const MOST_PIXELS = 1e8

export const readImageFile = (file: string, who: string): Buffer => readBytes(file, { who, most: LARGEST })

/** A picture of a file, undecoded: what sharp makes of it fails when it is no image. */
export const openImage = (file: string, who: string): Sharp =>
  sharp(readImageFile(file, who), { limitInputPixels: MOST_PIXELS })

/** What sharp says of a picture that does not decode, in one line: libvips tells of each loader and each try in its own. */
export const imageFault = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).split('\n')[0]!.trim()

/**
 * Pixels `[height, width, 3]` as bytes of sRGB, as every reader takes them: grey and CMYK become RGB, 16 bits 8, of an
 * animation the first picture, what is transparent keeps its colour. The camera's orientation tag is not applied: boxes and
 * masks are annotated on the stored pixels, and torchvision's readers do the same.
 */
export const toRgb = (picture: Sharp): Promise<Buffer> =>
  picture.removeAlpha().toColourspace('srgb').raw().toBuffer()
