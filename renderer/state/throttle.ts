/** Runs `action` at most once an interval for each key, after the interval's end: many calls come to one. */
export const throttled = (milliseconds: number, action: (key: string) => void): ((key: string) => void) => {
  const due = new Set<string>()
  return (key) => {
    if (due.has(key)) return
    due.add(key)
    setTimeout(() => {
      due.delete(key)
      action(key)
    }, milliseconds)
  }
}
