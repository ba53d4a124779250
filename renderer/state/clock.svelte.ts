/** The time of day, for what the page says about "ago" and "left". */
export class Clock {
  /** Milliseconds since the epoch, to the second. */
  now = $state(Date.now())

  /** Goes on from now; returns what stops it. */
  start(): () => void {
    const timer = setInterval(() => (this.now = Date.now()), 1000)
    return () => clearInterval(timer)
  }
}
