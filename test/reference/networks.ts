/** Typed access to networks.json, made by networks.py beside it (see there for the meaning of the fields). */
import { readFileSync } from 'node:fs'
import type { ArchitectureConfig } from '../../shared/records.ts'

type Network = { network: ArchitectureConfig['name']; width: number; depth: number; layer: string }
type NetworkReference = {
  readonly counts: readonly (Network & { parameters: number })[]
  readonly steps: readonly (Network & {
    imageSize: number
    batch: number
    images: number
    loss: [before: number, after: number]
    inference: number[]
    sums: number[]
  })[]
}

export const NETWORKS = JSON.parse(
  readFileSync(new URL('networks.json', import.meta.url), 'utf8'),
) as NetworkReference

/** `count` numbers in [-1, 1): the generator of networks.py, which it documents. */
export const drawn = (count: number, number: number): Float32Array => {
  // The seed's product passes 2^53.
  let state = (Math.imul(number, 2654435761) + 12345) >>> 0
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0
    return (state >>> 8) / 2 ** 23 - 1
  })
}
