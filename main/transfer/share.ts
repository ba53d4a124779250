/**
 * How many runs may be under way at once. On processors, a worker each; a GPU takes one. A run lasts minutes to days
 * and a candidate seconds, so that the pool's line alone would leave a search nothing: while one is at work, half of the
 * workers are the searches'; with one worker the transfers wait.
 */
export const share = (options: {
  readonly workers: number
  readonly searching: boolean
  readonly gpu: boolean
}): number => {
  const most = options.gpu ? 1 : options.workers
  return options.searching ? Math.min(most, Math.floor(options.workers / 2)) : most
}
