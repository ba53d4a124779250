import { PRESETS } from '../shared/catalog.ts'
import type { Page } from './state/page.ts'

/** One press: the five-minute search on the embedded images, as it stands in the catalog. */
export const startDemo = async (page: Page): Promise<void> => {
  const made = await page.notices.attempt(() =>
    page.link.request('searches.create', { name: 'Demo on Shapes', config: PRESETS.demo.config }),
  )
  if (made) page.searches.created(made)
}
