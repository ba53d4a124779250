/** What a search decides of a candidate, as it is kept beside it. */
import type { Rejection, SameBy } from '../../shared/records.ts'

/**
 * static: rejected at once; duplicate: the same function as an earlier candidate; train: goes to a worker. `known`: the layer of
 * the literature that is the same function. `by`, and the `family` of layers that start alike, are absent for candidates
 * of earlier versions.
 */
export type Verdict =
  | { readonly kind: 'static'; readonly rejection: Rejection }
  | { readonly kind: 'duplicate'; readonly of: number; readonly by?: SameBy; readonly known?: string }
  | { readonly kind: 'train'; readonly family?: string; readonly known?: string }

/** Who entered the population and who left it. */
export type Change = { readonly entered: number[]; readonly left: number[] }
