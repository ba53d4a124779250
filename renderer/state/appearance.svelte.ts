import { keepTheme, onSystemTheme, shownTheme, storedTheme, type Theme } from '../theme.ts'

/** Which theme was chosen, and which is shown. */
export class Appearance {
  theme = $state<Theme>(storedTheme())
  /** Rises when the system's own wish changes, which only the browser knows. */
  #systemChanges = $state(0)
  readonly shown = $derived.by(() => {
    void this.#systemChanges
    return shownTheme(this.theme)
  })

  /** Follows the system; returns what ends that. */
  start(): () => void {
    return onSystemTheme(() => this.#systemChanges++)
  }

  choose(theme: Theme): void {
    this.theme = theme
    keepTheme(theme)
  }
}
