import assert from 'node:assert/strict'
import { readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { openedBy, readOpened } from '../../main/electron/files.ts'
import { openSettings, settingsIn, withFolder } from '../../main/electron/settings.ts'
import { dataFolder } from '../main/stand-in-app.ts'

test('what the window remembers is read back; what is torn or makes no sense is left out', async () => {
  const file = path.join(dataFolder(), 'window.json')
  const first = openSettings(file)
  const bounds = { x: 1, y: 2, width: 900, height: 600 }
  first.change({ bounds, zoom: 1.5, closing: 'background' })
  first.change(withFolder(withFolder(withFolder(first.now(), '/a'), '/b'), '/a'))
  await first.saved()
  const kept = openSettings(file).now()
  assert.deepEqual(kept, {
    bounds,
    maximized: false,
    zoom: 1.5,
    closing: 'background',
    folder: '/a',
    folders: ['/a', '/b'],
  })

  const fresh = settingsIn('')
  for (const text of [readFileSync(file, 'utf8').slice(0, 40), 'null', '7', '[]', '{}'])
    assert.deepEqual(settingsIn(text), fresh, text)
  const wrong = {
    bounds: { x: 'left' },
    maximized: 'yes',
    zoom: 1e9,
    closing: 'never',
    folder: 7,
    folders: ['/a', null, 3],
  }
  assert.deepEqual(settingsIn(JSON.stringify(wrong)), { ...fresh, folders: ['/a'] })
})

test('a command line opens layers and addresses of the page, and nothing else', () => {
  assert.deepEqual(openedBy(['--no-sandbox', 'a.json', '/b/c.JSON', 'notes.txt'], '/home'), {
    files: ['/home/a.json', '/b/c.JSON'],
    route: null,
  })
  assert.equal(openedBy(['normforge://search/x1/live'], '/').route, '#/search/x1/live')
  for (const wrong of ['normforge://search?x', 'normforge://a#b', 'https://search/x', 'normforge://%2e%2e/'])
    assert.equal(openedBy([wrong], '/').route, null, wrong)
})

test('a file that can be no layer is refused in a sentence', async () => {
  const folder = dataFolder()
  const large = path.join(folder, 'large.json')
  writeFileSync(large, Buffer.alloc(2 ** 20 + 1))
  await assert.rejects(readOpened(large), /^Error: large.json is too large for a layer$/)
  await assert.rejects(readOpened(path.join(folder, 'none.json')), /none.json can’t be opened \(ENOENT\)/)
  await assert.rejects(readOpened(folder), /is no file/)
})
