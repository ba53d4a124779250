import type { CandidateDetail } from '../../../shared/contract.ts'
import { usePage } from '../../state/page.ts'

/**
 * Everything about one candidate, asked for anew when another is wanted or its status changes; `wait` milliseconds
 * later where the wish may pass. To be called while a component is set up.
 */
export const detailOf = (
  wanted: () => { readonly search: string | undefined; readonly number: number },
  wait = 0,
): { readonly detail: CandidateDetail | null; readonly problem: string | null } => {
  const page = usePage()
  let detail = $state.raw<CandidateDetail | null>(null)
  let problem = $state<string | null>(null)
  const status = $derived(page.lineage.family?.get(wanted().number)?.status)

  $effect(() => {
    const { search, number } = wanted()
    void status
    problem = null
    if (search === undefined) return
    let stale = false
    const ask = (): void => {
      page.details.get(search, number).then(
        (found) => !stale && (detail = found),
        (error: Error) => !stale && (problem = error.message),
      )
    }
    const timer = wait > 0 ? setTimeout(ask, wait) : ask()
    return () => {
      stale = true
      if (timer !== undefined) clearTimeout(timer)
    }
  })
  return {
    get detail() {
      return detail?.candidate.number === wanted().number ? detail : null
    },
    get problem() {
      return problem
    },
  }
}
