import { ARCHITECTURES } from '../shared/catalog.ts'
import type { ArchitectureConfig } from '../shared/records.ts'

/** Short names for the columns of a search: "ResNet", with the width where one name is there twice. */
export const architectureLabels = (architectures: readonly ArchitectureConfig[]): string[] =>
  architectures.map(({ name, width, depth }, i) => {
    const short = ARCHITECTURES[name].short
    const same = architectures.filter((other) => other.name === name)
    if (same.length === 1) return short
    const exact = `${short} ${width}×${depth}`
    const twice = architectures.some(
      (other, j) => j < i && other.name === name && other.width === width && other.depth === depth,
    )
    return twice ? `${exact} (${i + 1})` : exact
  })
