/** The host process as the desktop window keeps it, without a window: the real program, started, killed and ended. */
import assert from 'node:assert/strict'
import { writeFileSync } from 'node:fs'
import path from 'node:path'
import { test, type TestContext } from 'node:test'
import type { FromHost } from '../../main/desktop/messages.ts'
import { keepHost, type Host } from '../../main/electron/host.ts'
import { root } from '../../main/setup/process.mjs'
import { storePath } from '../../main/store/folder.ts'
import { dataFolder, shortSearch, until } from '../main/stand-in-app.ts'
import { alive } from '../workers/fixture.ts'
import { STAND_IN } from '../workers/stand-in.ts'

process.env['NORMFORGE_EVALUATOR'] = STAND_IN

const keep = (t: TestContext, folder: string, program = path.join(root, 'main/serve.ts')) => {
  const heard: FromHost[] = []
  const lost: number[] = []
  const hopeless: string[] = []
  const args = ['--data-folder', folder, '--workers', '1', '--threads', '1']
  const host = keepHost(
    { node: process.execPath, program, args },
    {
      message: (message) => heard.push(message),
      lost: () => lost.push(Date.now()),
      hopeless: (words) => hopeless.push(words),
    },
  )
  t.after(() => host.end())
  return { host, heard, lost, hopeless }
}

/** A page's conversation with the host: frames by connection, heard as they come. */
const talk = (host: Host, heard: readonly FromHost[], page: number) => {
  host.send({ kind: 'open', page })
  let id = 0
  return {
    /** The reply, with the number of pieces that it came in. */
    ask: async (name: string, argument: object) => {
      const frame = JSON.stringify({ id: ++id, name, argument })
      host.send({ kind: 'text', page, text: frame })
      let found: { id: number; ok: boolean; value: unknown } | undefined
      let pieces = 0
      await until('a reply', () => {
        let text = ''
        pieces = 0
        for (const message of heard) {
          if (message.kind !== 'text' || message.page !== page) continue
          text += message.text
          pieces++
          if (!message.last) continue
          const told = JSON.parse(text) as { id: number; ok: boolean; value: unknown }
          if (told.id === id) found = told
          if (found) return true
          text = ''
          pieces = 0
        }
        return false
      })
      return { ...found!, pieces }
    },
  }
}

test('the host answers pages over its channel, goes on with its search after a kill, and ends in time', async (t) => {
  const folder = dataFolder()
  const { host, heard, lost } = keep(t, folder)
  await until('the host', host.isReady)
  const first = talk(host, heard, 1)
  const info = await first.ask('app.info', {})
  assert.equal((info.value as { host: string }).host, 'desktop')
  const config = shortSearch({ maxTrained: 4000 })
  const made = await first.ask('searches.create', { name: 'to be killed', config })
  assert.ok(made.ok)
  await until('work', () => heard.some((message) => message.kind === 'work' && message.running === 1))

  process.kill(host.pid()!, 'SIGKILL')
  await until('the loss', () => lost.length === 1)
  await until('the next host', host.isReady)
  const second = talk(host, heard, 2)
  const list = await second.ask('searches.list', {})
  assert.deepEqual(
    (list.value as { search: { name: string; state: string } }[]).map(({ search }) => [
      search.name,
      search.state,
    ]),
    [['to be killed', 'running']],
  )
  const pid = host.pid()!
  await host.end()
  assert.ok(!alive(pid))
  assert.equal(lost.length, 1)
})

test('a host that hangs is ended by force; one that dies at once, again and again, is given up with its words', async (t) => {
  const folder = dataFolder()
  const [hanging, dying] = ['hanging', 'dying'].map((name) => path.join(folder, `${name}.mjs`)) as [
    string,
    string,
  ]
  writeFileSync(
    hanging,
    `process.on('message', () => undefined)\nprocess.send({ kind: 'ready' })\nsetInterval(() => undefined, 1000)`,
  )
  writeFileSync(dying, `throw new Error('no disk at all')`)
  const hangs = keep(t, folder, hanging)
  const dies = keep(t, folder, dying)
  await until('a host', hangs.host.isReady)
  const begun = Date.now()
  const pid = hangs.host.pid()!
  await hangs.host.end()
  assert.ok(!alive(pid))
  assert.ok(Date.now() - begun < 5000)
  await until('the last of three deaths', () => dies.hopeless.length === 1)
  assert.equal(dies.lost.length, 3)
  assert.match(dies.hopeless[0]!, /no disk at all/)
})

test('a store that is damaged is told of, with whether there is a backup, and the host is not started again', async (t) => {
  const folder = dataFolder()
  writeFileSync(storePath(folder), 'no store')
  const { heard, lost, host } = keep(t, folder)
  await until('the end', () => lost.length === 1)
  assert.deepEqual(
    heard.map((message) =>
      message.kind === 'failed' ? [message.restorable, message.message.includes('is not a store')] : message,
    ),
    [[false, true]],
  )
  await new Promise((resolve) => setTimeout(resolve, 500))
  assert.equal(host.pid(), undefined)
})
