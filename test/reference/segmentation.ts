/** Typed access to segmentation.json, made by segmentation.py beside it (see there for the meaning of the fields). */
import { readFileSync } from 'node:fs'

type Pair<T> = readonly [T, T]
type SegmentationReference = {
  readonly settings: Readonly<Record<string, number>>
  readonly parameters: number
  readonly batch: {
    readonly boxes: Pair<number[][]>
    readonly classes: Pair<number[]>
    readonly anchors: Pair<number[]>
    readonly anchorObject: Pair<number[]>
  }
  readonly matched: Pair<[objects: number, background: number, neither: number, sum: number]>
  readonly steps: readonly {
    readonly layer: string
    readonly images: number
    readonly losses: Pair<number[]>
    readonly sums: number[]
    readonly found: Pair<{ boxes: number[]; scores: number[]; classes: number[]; masks: number[] }>
  }[]
  readonly pasted: {
    readonly box: [number, number, number, number]
    readonly height: number
    readonly width: number
    readonly set: number[]
  }
}

export const SEGMENTATION = JSON.parse(
  readFileSync(new URL('segmentation.json', import.meta.url), 'utf8'),
) as SegmentationReference
