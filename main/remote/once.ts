/** Tells each text once, however often it is found to be so. */
export const tellingOnce = (note: ((text: string) => void) | undefined): ((text: string) => void) => {
  const told = new Set<string>()
  return (text) => {
    if (told.has(text)) return
    told.add(text)
    note?.(text)
  }
}
