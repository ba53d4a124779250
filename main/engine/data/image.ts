/** Image files, decoded by sharp (libvips): raster formats alone, by their content and not by their name. */
import sharp, { type Sharp } from 'sharp'
import { readBytes } from '../../files.ts'

/** SVG, for one, is a program that draws, and reads other files. libvips names its loaders so. */
const FORMATS = ['Jpeg', 'Png', 'Webp', 'Tiff', 'Nsgif'].map((name) => `VipsForeignLoad${name}`)
sharp.block({ operation: ['VipsForeignLoad'] })
sharp.unblock({ operation: FORMATS })

/** Bytes of a file. */
const LARGEST = 2 ** 28
/** Pixels of a picture, 10,000 × 10,000: a few hundred bytes can unfold to any number. */
const MOST_PIXELS = 1e8

/** A picture of a file, undecoded: what sharp makes of it fails when it is no image. */
export const openImage = (file: string, who: string): Sharp =>
  sharp(readBytes(file, { who, most: LARGEST }), { limitInputPixels: MOST_PIXELS })
