/** Light, dark and high contrast: the system's wish unless the person chose. */
export const THEMES = ['system', 'light', 'dark', 'contrast'] as const
export type Theme = (typeof THEMES)[number]
export type ShownTheme = Exclude<Theme, 'system'>

export const THEME_LABELS: Readonly<Record<Theme, string>> = {
  system: 'As the system',
  light: 'Light',
  dark: 'Dark',
  contrast: 'High contrast',
}

const KEY = 'normforge.theme'
const wants = (query: string): boolean => matchMedia(query).matches

export const storedTheme = (): Theme => THEMES.find((name) => name === localStorage.getItem(KEY)) ?? 'system'

export const keepTheme = (theme: Theme): void => localStorage.setItem(KEY, theme)

/** What a choice comes to on this machine. */
export const shownTheme = (theme: Theme): ShownTheme => {
  if (theme !== 'system') return theme
  if (wants('(prefers-contrast: more)')) return 'contrast'
  return wants('(prefers-color-scheme: dark)') ? 'dark' : 'light'
}

/** Calls back when the system changes its mind; returns what ends that. */
export const onSystemTheme = (listener: () => void): (() => void) => {
  const lists = ['(prefers-color-scheme: dark)', '(prefers-contrast: more)'].map((query) => matchMedia(query))
  for (const list of lists) list.addEventListener('change', listener)
  return () => lists.forEach((list) => list.removeEventListener('change', listener))
}
