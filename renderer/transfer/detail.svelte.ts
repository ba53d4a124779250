import type { TransferDetail } from '../../shared/transfer/contract.ts'
import { usePage } from '../state/page.ts'

/**
 * Everything about one promotion, asked for anew whenever the list was. To be called while a component is set up.
 */
export const promotionOf = (
  wanted: () => string,
): { readonly detail: TransferDetail | null; readonly problem: string | null } => {
  const page = usePage()
  let detail = $state.raw<TransferDetail | null>(null)
  let problem = $state<string | null>(null)

  $effect(() => {
    const id = wanted()
    void page.transfers.list
    page.transfers.detail(id).then(
      (found) => {
        if (id !== wanted()) return
        detail = found
        problem = null
      },
      (error: Error) => {
        if (id === wanted()) problem = error.message
      },
    )
  })
  return {
    get detail() {
      return detail?.summary.promotion.id === wanted() ? detail : null
    },
    get problem() {
      return problem
    },
  }
}
