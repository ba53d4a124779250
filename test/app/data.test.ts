/** Folders of the user's data on the page: what they hold is shown, and where they are ambiguous it is asked. */
import assert from 'node:assert/strict'
import { existsSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { startServer } from '../../main/browser/server.ts'
import { root } from '../../main/setup/process.mjs'
import { cocoJson, picture, writeCoco } from '../engine/data/cocoCases.ts'
import { dataFolder } from '../main/stand-in-app.ts'
import { openBrowser } from './browser.ts'

const writeImages = async (folder: string): Promise<string> => {
  for (const [i, name] of [
    'train/cat/1',
    'train/cat/2',
    'train/dog/3',
    'val/cat/4',
    'val/dog/2',
    'bird/6',
  ].entries()) {
    const file = path.join(folder, `${name}.png`)
    mkdirSync(path.dirname(file), { recursive: true })
    // The fifth is a copy of the second.
    await picture(i === 4 ? 1 : i, 16, 16)
      .png()
      .toFile(file)
  }
  writeFileSync(path.join(folder, 'labels.csv'), 'a,b')
  return folder
}

test('the page shows what a folder holds, and asks which part trains where several could', async (t) => {
  if (!existsSync(path.join(root, 'dist/index.html'))) return t.skip('the page is not built')
  const browser = await openBrowser(t)
  if (!browser) return
  const folder = dataFolder()
  const images = await writeImages(path.join(folder, 'images'))
  const coco = await writeCoco(path.join(folder, 'coco'), {
    train2014: cocoJson([9]),
    train2017: cocoJson([1, 2, 3]),
    val: cocoJson([50]),
  })
  const server = await startServer({ dataFolder: folder, workers: 1, threads: 1 })
  t.after(() => server.close())
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 } })
  page.setDefaultTimeout(30_000)
  const look = process.env['NORMFORGE_PICTURES']
  const shoot = async (name: string): Promise<void> => {
    if (!look) return
    for (const width of [1280, 1920])
      for (const colorScheme of ['light', 'dark'] as const) {
        await page.setViewportSize({ width, height: 900 })
        await page.emulateMedia({ colorScheme })
        await page.screenshot({ path: path.join(look, `${name}-${width}-${colorScheme}.png`) })
      }
  }

  await page.goto(`${server.url}#/new`)
  await page.getByRole('button', { name: 'Folder of images' }).click()
  await page.getByLabel('Folder on this machine').fill(images)
  await page.getByRole('button', { name: 'Check', exact: true }).click()
  const found = page.getByTestId('data-found')
  await found.getByText('Are the classes in train, val, or is each of the folders').waitFor()
  await shoot('asked')
  assert.deepEqual(await found.locator('select').first().locator('option').allTextContents(), [
    'Choose…',
    '. (6 images)',
    'train (3 images)',
    'val (2 images)',
  ])
  await found.getByLabel('Trains').selectOption('train')
  await found.getByText('2 images of train/ for training, 2 of val/ for validation').waitFor()
  assert.match(
    await found.innerText(),
    /training images left out, they are in validation, too: 1 \(train.cat.2\.png\)/,
  )
  assert.match(await found.innerText(), /2 classes \(images\): cat 2, dog 2/)
  await shoot('answered')

  await page.goto(`${server.url}#/transfer`)
  await page.getByTestId('promote-other').first().click()
  await page.getByRole('button', { name: 'Segmentation', exact: true }).click()
  await page.getByRole('button', { name: 'COCO' }).click()
  await page.getByLabel('Folder of COCO').fill(coco)
  await page.getByRole('button', { name: 'Check the folder' }).click()
  await found.getByText('Which part is for training: train2014, train2017?').waitFor()
  await shoot('coco-asked')
  await found.getByLabel('Trains').selectOption('train2017')
  await found
    .getByText('3 images of instances_train2017.json for training, 1 of instances_val.json')
    .waitFor()
  await shoot('coco-answered')
})
