/** What the page says in passing: what failed, what has finished, what can be taken back. */
export type NoticeAction = { readonly label: string; run(): void }
export type Notice = {
  readonly id: number
  readonly kind: 'error' | 'done'
  readonly text: string
  /** It goes by itself after so long. */
  readonly seconds: number
  readonly actions: readonly NoticeAction[]
}

export class Notices {
  list = $state.raw<readonly Notice[]>([])

  note(kind: Notice['kind'], text: string, more: Partial<Pick<Notice, 'seconds' | 'actions'>> = {}): void {
    const { seconds = kind === 'error' ? 12 : 5, actions = [] } = more
    const notice = { id: Date.now() + Math.random(), kind, text, seconds, actions }
    // Said again it is said anew, not twice.
    const others = this.list.filter((other) => other.kind !== kind || other.text !== text)
    this.list = [...others, notice]
    setTimeout(() => this.dismiss(notice.id), seconds * 1000)
  }

  dismiss(id: number): void {
    this.list = this.list.filter((notice) => notice.id !== id)
  }

  /** Runs an action and says so when it fails. */
  async attempt<T>(action: () => Promise<T>): Promise<T | null> {
    try {
      return await action()
    } catch (error) {
      this.note('error', error instanceof Error ? error.message : String(error))
      return null
    }
  }
}
