/** The desktop window in a real Electron, with its host: what somebody who sits before it does, and what a page may not. */
import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, readFileSync, readlinkSync, rmSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { test } from 'node:test'
import { knownLayer } from '../../shared/known.ts'
import { DESKTOP } from '../../main/setup/page.ts'
import { root } from '../../main/setup/process.mjs'
import { dataFolder, until } from '../main/stand-in-app.ts'
import { commandOf, digest, ensureApp, inWindow, launch, menu, stubDialogs } from './desktop.ts'
import { listening, processesBelow } from './processes.ts'
import { findElectron, openDisplay } from './real.ts'

test(
  'the window opens the workbench, confined to its own address and files',
  { timeout: 240_000 },
  async (t) => {
    const electron = await findElectron(t)
    if (!electron) return
    const { app, page, problems } = await launch(t, electron, { env: await openDisplay(t) })
    await page.getByTestId('start-demo').waitFor()
    for (const name of ['main.cjs', 'preload.cjs'])
      assert.equal(
        digest(path.join(await ensureApp(electron), name)),
        digest(path.join(root, DESKTOP, name)),
        `${name} is the one that ships`,
      )
    assert.equal(page.url(), 'app://normforge/')
    assert.equal(
      await page.evaluate('typeof require + typeof process + typeof module'),
      'undefined'.repeat(3),
    )
    assert.deepEqual(problems, [])

    assert.equal(await page.evaluate("window.open('https://example.org/')"), null)
    for (const address of ['https://example.org/', 'file:///etc/passwd', 'app://other/'])
      await page.evaluate(`void (location.href = '${address}')`)
    await page.evaluate(`
    const frame = document.createElement('iframe')
    frame.src = 'https://example.org/'
    void document.body.append(frame)`)
    assert.equal(page.url(), 'app://normforge/')
    assert.deepEqual(
      page
        .frames()
        .map((frame) => frame.url())
        .filter((url) => url.includes('example')),
      [],
    )
    // A picture beside the page's folder, which no path may reach; the page's own icon is the control.
    const folder = await ensureApp(electron)
    writeFileSync(path.join(folder, 'secret.svg'), '<svg xmlns="http://www.w3.org/2000/svg"/>')
    t.after(() => rmSync(path.join(folder, 'secret.svg')))
    const load = (address: string) =>
      page.evaluate(`new Promise((resolve) => {
      const picture = new Image()
      picture.onload = () => resolve(true)
      picture.onerror = () => resolve(false)
      picture.src = ${JSON.stringify(address)}
    })`)
    const icon = await page.locator('link[rel=icon]').getAttribute('href')
    assert.ok(await load(icon!), `${icon} loads`)
    for (const trick of ['../', '..%2f', '%2e%2e/', '%2e%2e%2f', '..%5c', 'assets/..%2f..%2f', '%2f..%2f'])
      assert.ok(!(await load(`app://normforge/${trick}secret.svg`)), trick)
    assert.ok(!(await load(`app://normforge/${encodeURIComponent(path.join(folder, 'secret.svg'))}`)))
    for (const address of ['https://example.org/', 'app://other/index.html', 'file:///etc/passwd'])
      assert.equal(await page.evaluate(`fetch('${address}').then(() => 'sent', () => 'refused')`), 'refused')
    const names = [
      'geolocation',
      'camera',
      'microphone',
      'notifications',
      'clipboard-read',
      'clipboard-write',
    ]
    const granted = await page.evaluate(
      `Promise.all(${JSON.stringify(names)}.map((name) => navigator.permissions.query({ name }).then(({ state }) => state)))`,
    )
    assert.deepEqual(granted, [...Array<string>(5).fill('denied'), 'granted'])
    await app.close()
  },
)

test('no process of a plain start listens on a port', { timeout: 240_000 }, async (t) => {
  const electron = await findElectron(t)
  if (!electron) return
  const { args, env, data } = await commandOf(electron, { env: await openDisplay(t) })
  const program = spawn(electron.binary, args, { env, stdio: ['ignore', 'ignore', 'pipe'] })
  t.after(() => program.kill('SIGKILL'))
  let words = ''
  program.stderr.on('data', (chunk) => (words += String(chunk)))
  const host = (): number | undefined => processesBelow(program.pid!).find((pid) => isHost(pid))
  await until('the host’s store', () => {
    const pid = host()
    return pid !== undefined && isOpen(pid, path.join(data, 'searches.sqlite'))
  })
  const tree = [program.pid!, ...processesBelow(program.pid!)]
  assert.ok(tree.length > 3, `${tree.length} processes`)
  assert.deepEqual(tree.flatMap(listening), [])
  const [own] = [host()!]
  program.kill('SIGTERM')
  const [code] = (await once(program, 'exit')) as [number]
  assert.equal(code, 0, words)
  assert.ok(!processesBelow(1).includes(own) && !isAlive(own))
})

const isAlive = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/stat`, 'utf8').split(' ')[2] !== 'Z'
  } catch {
    return false
  }
}
const isHost = (pid: number): boolean => {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes('main/serve.ts')
  } catch {
    return false
  }
}
const isOpen = (pid: number, file: string): boolean => {
  for (let handle = 3; handle < 64; handle++)
    try {
      if (readlinkSync(`/proc/${pid}/fd/${handle}`) === file) return true
    } catch {
      continue
    }
  return false
}

test(
  'menu, dialogs, drops, copies, files and a second start do what they say; the window comes back as it was',
  { timeout: 240_000 },
  async (t) => {
    const electron = await findElectron(t)
    if (!electron) return
    const display = await openDisplay(t)
    const first = await launch(t, electron, { env: { ...display, NORMFORGE_STANDIN_MS: '50' } })
    const { app, page, home } = first
    await page.getByTestId('start-demo').waitFor()

    // A folder of images, chosen and dropped.
    const folder = dataFolder()
    const images = path.join(folder, 'images & more')
    mkdirSync(images)
    await menu(app, 'New search')
    await page.getByTestId('new-start').waitFor()
    assert.equal(new URL(page.url()).hash, '#/new')
    await page.getByText('Folder of images', { exact: true }).first().click()
    await stubDialogs(app, { open: [images] })
    await page.getByTestId('choose-folder').click()
    await until('the chosen folder', async () => (await page.locator('#data-path').inputValue()) === images)
    await page.locator('#data-path').fill('')
    const file = path.join(folder, 'dropped.bin')
    writeFileSync(file, 'x')
    await page.evaluate(`
    const input = document.createElement('input')
    Object.assign(input, { type: 'file', id: 'for-a-drop' })
    void document.body.append(input)`)
    await page.locator('#for-a-drop').setInputFiles(file)
    await page.evaluate(`
    const dataTransfer = new DataTransfer()
    dataTransfer.items.add(document.querySelector('#for-a-drop').files[0])
    void window.dispatchEvent(new DragEvent('drop', { dataTransfer, cancelable: true }))`)
    await until('the dropped folder', async () => (await page.locator('#data-path').inputValue()) === file)

    // A search, a layer opened from a file by the menu, and one by a second start.
    await menu(app, 'Home')
    await page.getByTestId('start-demo').click()
    await page.getByTestId('progress').waitFor()
    const layer = path.join(folder, 'layer.json')
    writeFileSync(layer, JSON.stringify({ graph: knownLayer('EvoNorm-S0').graph }))
    await stubDialogs(app, { open: [layer] })
    await menu(app, 'Open…')
    const insert = page.getByTestId('insert-now')
    await insert.waitFor()
    await insert.click()
    await page.getByText(/Inserted as #\d+/).waitFor()

    const { args, env } = await commandOf(electron, { ...first, env: display })
    const second = spawn(electron.binary, [...args, layer], { env, stdio: 'ignore' })
    const [code] = (await once(second, 'exit')) as [number]
    assert.equal(code, 0)
    await insert.waitFor()
    await page.keyboard.press('Escape')

    // What is copied and saved.
    await until('a layer', async () => Number(await page.getByTestId('count-scored').innerText()) > 0)
    await page.keyboard.press('b')
    await page.getByTestId('layer').waitFor()
    await page.getByTitle('Export the layer as code').first().click()
    await page.getByTestId('export-json').click()
    await page.getByTestId('export-save').waitFor()
    const saved = path.join(folder, 'saved.json')
    await inWindow(
      app,
      ({ session }, at) => {
        session.defaultSession.once('will-download', (_event, item) => item.setSavePath(at))
      },
      saved,
    )
    const shown = await page.getByTestId('export-code').innerText()
    await page.getByTestId('export-save').click()
    await until('the saved file', () => sizeOf(saved) > 0)
    assert.deepEqual(JSON.parse(readFileSync(saved, 'utf8')), JSON.parse(shown))
    await page.getByRole('dialog').getByRole('button', { name: /^Copy/ }).click()
    await until(
      'the copy',
      async () =>
        (await inWindow(app, ({ clipboard }) => clipboard.readText(), null)).trim() === shown.trim(),
    )
    assert.deepEqual(first.problems, [])

    // Closing asks while a search runs; what was answered for always is kept, with the window's place and zoom.
    await inWindow(
      app,
      ({ BrowserWindow }) => {
        const window = BrowserWindow.getAllWindows()[0]!
        window.setBounds({ x: 60, y: 40, width: 1000, height: 700 })
        window.webContents.setZoomLevel(1)
      },
      null,
    )
    await stubDialogs(app, { message: [2, 0] })
    const closeWindow = () =>
      inWindow(app, ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.close(), null)
    await closeWindow()
    await until('the question', async () => (await stubDialogs(app, {})).asked.length === 1)
    assert.equal((await stubDialogs(app, {})).windows, 1)
    await closeWindow()
    await until('the window to go', async () => (await stubDialogs(app, {})).windows === 0)
    const again = spawn(electron.binary, args, { env, stdio: 'ignore' })
    await once(again, 'exit')
    await until('a window again', async () => (await stubDialogs(app, {})).windows === 1)
    await app.close()

    const next = await launch(t, electron, { data: first.data, home, env: display })
    await next.page.getByText('Demo on Shapes').first().waitFor({ state: 'attached' })
    const state = await inWindow(
      next.app,
      ({ BrowserWindow }) => {
        const window = BrowserWindow.getAllWindows()[0]!
        return { ...window.getNormalBounds(), zoom: window.webContents.getZoomLevel() }
      },
      null,
    )
    assert.deepEqual(state, { x: 60, y: 40, width: 1000, height: 700, zoom: 1 })
    await next.app.close()
  },
)

const sizeOf = (file: string): number => {
  try {
    return readFileSync(file).length
  } catch {
    return 0
  }
}

test(
  'a page or a host that crashes comes back, and another data folder is another host',
  { timeout: 240_000 },
  async (t) => {
    const electron = await findElectron(t)
    if (!electron) return
    const { app, page, home } = await launch(t, electron, { env: await openDisplay(t) })
    await page.getByTestId('start-demo').waitFor()
    const host = () => processesBelow(app.process().pid!).find(isHost)
    const before = host()!
    process.kill(before, 'SIGKILL')
    await page.getByText(/Disconnected since/).waitFor()
    await page.getByText(/Disconnected since/).waitFor({ state: 'detached' })
    const after = host()!
    assert.notEqual(after, before)
    await page.getByTestId('start-demo').click()
    await page.getByTestId('progress').waitFor()

    const elsewhere = dataFolder()
    await stubDialogs(app, { open: [elsewhere] })
    await menu(app, 'Open data folder…')
    await until('the other folder’s host', () => {
      const pid = host()
      return (
        pid !== undefined && pid !== after && readFileSync(`/proc/${pid}/cmdline`, 'utf8').includes(elsewhere)
      )
    })
    await menu(app, 'Home')
    await page.getByTestId('start-demo').waitFor()
    const kept = JSON.parse(readFileSync(path.join(home, 'normforge/window.json'), 'utf8')) as object
    assert.deepEqual(Reflect.get(kept, 'folders'), [elsewhere])

    await inWindow(
      app,
      ({ BrowserWindow }) => BrowserWindow.getAllWindows()[0]!.webContents.forcefullyCrashRenderer(),
      null,
    )
    // Playwright gives a crashed page up; the window itself says what is in it.
    const text = () =>
      inWindow(
        app,
        ({ BrowserWindow }) => {
          const { webContents } = BrowserWindow.getAllWindows()[0]!
          if (webContents.isLoading() || webContents.isCrashed()) return ''
          return Promise.race([
            webContents.executeJavaScript('document.body.innerText') as Promise<string>,
            new Promise<string>((resolve) => setTimeout(resolve, 1000, '')),
          ])
        },
        null,
      )
    await until('the page', async () => (await text()).includes('Start the demo search'))
    await app.close()
  },
)
