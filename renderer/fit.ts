/** How well `text` fits a label: letters in order, better when together and at a word's start; null: not at all. */
export const fit = (label: string, text: string): number | null => {
  const where = label.toLowerCase()
  let [at, score] = [-1, 0]
  for (const letter of text.toLowerCase().replace(/\s+/g, '')) {
    const next = where.indexOf(letter, at + 1)
    if (next < 0) return null
    score += next === at + 1 ? 3 : where[next - 1] === ' ' || next === 0 ? 2 : 0
    at = next
  }
  return score - where.length / 100
}
