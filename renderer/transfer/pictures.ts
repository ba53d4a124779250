/** The pictures of a run, as their names tell: `overlay-500.png`, `sample-2000.png`, `interpolation-2000.png`. */
export type Picture = {
  /** What comes before the step. */
  readonly kind: string
  /** null: of the whole run. */
  readonly step: number | null
  readonly name: string
}

export const pictureOf = (name: string): Picture => {
  const found = /^([a-z][a-z-]*?)-?(\d+)?\.png$/.exec(name)
  return found
    ? { kind: found[1]!, step: found[2] === undefined ? null : Number(found[2]), name }
    : { kind: name, step: null, name }
}

/** All steps at which any of the runs has a picture of a kind, rising. */
export const stepsOf = (runs: readonly (readonly string[])[], kind: string): number[] => {
  const steps = runs
    .flat()
    .map(pictureOf)
    .flatMap((picture) => (picture.kind === kind && picture.step !== null ? [picture.step] : []))
  return [...new Set(steps)].sort((a, b) => a - b)
}

/** A run's newest picture of a kind up to a step; one of the whole run counts as its last. */
export const pictureAt = (names: readonly string[], kind: string, step: number): Picture | null =>
  names
    .map(pictureOf)
    .filter((picture) => picture.kind === kind && (picture.step ?? 0) <= step)
    .reduce<Picture | null>(
      (best, each) => (best === null || (each.step ?? 0) >= (best.step ?? 0) ? each : best),
      null,
    )
