/** A store that can't be used, with what to do about it; the file is left as it was. */
export class StoreError extends Error {
  override readonly name = 'StoreError'
  /** Whether the file itself is broken, so that a backup can take its place. */
  readonly damaged: boolean

  constructor(message: string, { damaged = false, cause }: { damaged?: boolean; cause?: unknown } = {}) {
    super(message, { cause })
    this.damaged = damaged
  }
}

export const ELSEWHERE = 'move it away, or choose another data folder (NORMFORGE_DATA)'
