/** Numbers as people read them: one place, so that a unit looks the same in every view. */
const NONE = '–'
const grouped = new Intl.NumberFormat('en', { maximumFractionDigits: 0 })

/** 41203 -> "41,203". */
export const count = (value: number): string => grouped.format(value)

/** A fraction 0..1 as "87.3%"; null as a dash. */
export const percent = (value: number | null | undefined, digits = 1): string =>
  value === null || value === undefined ? NONE : `${(value * 100).toFixed(digits)}%`

/** A difference of two fractions in percentage points, signed: "+1.2", "−0.4", "0.0". */
export const points = (value: number): string => {
  const rounded = Number((value * 100).toFixed(1))
  // Without a sign: "±0.0" would read as an uncertainty of nought.
  if (rounded === 0) return '0.0'
  return `${rounded > 0 ? '+' : '−'}${Math.abs(rounded).toFixed(1)}`
}

/** Seconds as "8 s", "4 min 20 s", "3 h 05 min", "2 d 4 h". */
export const duration = (seconds: number): string => {
  const whole = Math.max(0, Math.round(seconds))
  if (whole < 60) return `${whole} s`
  const minutes = Math.floor(whole / 60)
  if (minutes < 60)
    return whole % 60 === 0 || minutes >= 20 ? `${minutes} min` : `${minutes} min ${whole % 60} s`
  const hours = Math.floor(minutes / 60)
  if (hours < 48) return `${hours} h ${String(minutes % 60).padStart(2, '0')} min`
  return `${Math.floor(hours / 24)} d ${hours % 24} h`
}

/** A range of seconds, "3–5 min": one unit for both ends. */
export const durationRange = (low: number, high: number): string => {
  const unit = high < 90 ? 1 : high < 5400 ? 60 : high < 172_800 ? 3600 : 86_400
  const name = unit === 1 ? 's' : unit === 60 ? 'min' : unit === 3600 ? 'h' : 'd'
  const digits = unit >= 3600 && high / unit < 10 ? 1 : 0
  const [a, b] = [low / unit, high / unit].map((value) => value.toFixed(digits))
  if (a === b) return Number(b) === 0 ? `under 1 ${name}` : `about ${b} ${name}`
  return Number(a) === 0 ? `up to ${b} ${name}` : `${a}–${b} ${name}`
}

/** Bytes as "412 MB" (powers of 1000). */
export const bytes = (value: number | null): string => {
  if (value === null) return NONE
  const units = ['B', 'kB', 'MB', 'GB', 'TB']
  let size = value
  let unit = 0
  while (size >= 1000 && unit < units.length - 1) {
    size /= 1000
    unit++
  }
  return `${unit === 0 || size >= 100 ? size.toFixed(0) : size.toFixed(1)} ${units[unit]}`
}

/** A measured value of any size: "0.182", "1.4e+12". */
export const measured = (value: number | null): string => {
  if (value === null) return 'not finite'
  if (value === 0) return '0'
  const size = Math.abs(value)
  if (size >= 1e5 || size < 1e-3) return value.toExponential(1).replace('e+', 'e')
  return Number(value.toPrecision(3)).toString()
}

/** 35,842 parameters -> "35.8 k". */
export const compact = (value: number): string =>
  value < 1000
    ? String(value)
    : value < 1e6
      ? `${(value / 1e3).toFixed(1)} k`
      : `${(value / 1e6).toFixed(2)} M`

/** An ISO time against now: "just now", "12 min ago", "3 h ago", else the date. */
export const ago = (iso: string, now: number): string => {
  const seconds = (now - Date.parse(iso)) / 1000
  if (!Number.isFinite(seconds)) return iso
  if (seconds < 60) return 'just now'
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ago`
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h ago`
  return iso.slice(0, 10)
}

/** "1 candidate", "3 candidates"; "2 searches" where the ending is named. */
export const plural = (value: number, noun: string, many = `${noun}s`): string =>
  `${count(value)} ${value === 1 ? noun : many}`
