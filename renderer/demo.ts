import { PRESETS } from '../shared/catalog.ts'
import type { PageState } from './state.svelte.ts'

/** One press: the five-minute search on the embedded images, as it stands in the catalog. */
export const startDemo = async (page: PageState): Promise<void> => {
  const made = await page.notices.attempt(() =>
    page.request('searches.create', { name: 'Demo on Shapes', config: PRESETS.demo.config }),
  )
  if (made) page.created(made)
}
