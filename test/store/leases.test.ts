import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { hostname } from 'node:os'
import { test } from 'node:test'
import type { Database } from '../../main/store/database.ts'
import {
  acquireLease,
  beatLease,
  CLOCK,
  createHolder,
  fenced,
  leaseHolder,
  LEASE_MS,
  LeaseLost,
  releaseLease,
} from '../../main/store/leases.ts'
import { addSearch, storeOf } from './fixture.ts'

/** A lease as another process holds it. */
const otherLease = (db: Database, key: number, pid: number, { machine = hostname(), age = 0 } = {}): void => {
  db.run(
    'INSERT OR REPLACE INTO leases (search, holder, machine, pid, beat) VALUES (?, ?, ?, ?, ?)',
    key,
    'another',
    machine,
    pid,
    Date.now() - age,
  )
}

/** As if more time than a lease bears had passed since every beat. */
const passTime = (db: Database): void => {
  const past = LEASE_MS + 1000
  db.run('UPDATE leases SET beat = beat - ?, steady = steady - ?', past, past)
}

test('a search is held by one holder at a time', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const [mine, yours] = [createHolder(), createHolder()]
  assert.equal(leaseHolder(db, key), null)
  acquireLease(db, key, mine)
  acquireLease(db, key, mine)
  assert.deepEqual(leaseHolder(db, key), { holder: mine, pid: process.pid, machine: hostname() })
  assert.throws(() => acquireLease(db, key, yours), {
    name: 'LeaseLost',
    message: `the search is being run by process ${process.pid} on ${hostname()}`,
  })
  releaseLease(db, key, yours)
  assert.equal(leaseHolder(db, key)!.holder, mine, "another's lease can't be given back")
  releaseLease(db, key, mine)
  acquireLease(db, key, yours)
})

test('a running process is respected, a dead one is not', async (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const child = spawn(process.execPath, ['-e', 'setInterval(() => undefined, 1000)'], { stdio: 'ignore' })
  otherLease(db, key, child.pid!)
  assert.throws(() => acquireLease(db, key, createHolder()), LeaseLost)
  child.kill('SIGKILL')
  await once(child, 'exit')
  assert.equal(leaseHolder(db, key), null)
  acquireLease(db, key, createHolder())
})

test('a process that has ended counts as dead though nobody took note', async (t) => {
  if (process.platform !== 'linux') return t.skip('needs Linux, which shows it')
  const db = storeOf(t)
  const { key } = addSearch(db)
  // The inner shell ends; the outer one, become sleep, never asks for it.
  const parent = spawn('sh', ['-c', 'sh -c "echo \\$\\$" & exec sleep 60'])
  t.after(() => parent.kill('SIGKILL'))
  const [line] = (await once(parent.stdout, 'data')) as [Buffer]
  const pid = Number(line.toString())
  otherLease(db, key, pid)
  for (let i = 0; i < 500 && leaseHolder(db, key); i++)
    await new Promise((resolve) => setTimeout(resolve, 10))
  assert.equal(leaseHolder(db, key), null)
  assert.equal(process.kill(pid, 0), true, 'its number is still taken')
})

test('this process is not taken for an earlier one that had its number', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  otherLease(db, key, process.pid)
  assert.equal(leaseHolder(db, key), null)
})

test('without a beat for long, a lease is free, also on another machine', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  otherLease(db, key, 1, { machine: 'elsewhere', age: LEASE_MS / 2 })
  assert.equal(leaseHolder(db, key)!.machine, 'elsewhere')
  otherLease(db, key, 1, { machine: 'elsewhere', age: LEASE_MS + 1000 })
  assert.equal(leaseHolder(db, key), null)
  otherLease(db, key, process.ppid, { age: LEASE_MS + 1000 })
  assert.equal(leaseHolder(db, key), null)
})

test('a lease from before a restart, after which the clock was set back, is free', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  // By a process that is gone, whose number another one has by now.
  otherLease(db, key, process.ppid, { age: -3_600_000 })
  assert.equal(leaseHolder(db, key), null)
  acquireLease(db, key, createHolder())
})

test('a lease that is alive stays taken when the clock is set, by whatever', (t) => {
  if (CLOCK === null) return t.skip('needs Linux, whose steady clock has a name')
  const db = storeOf(t)
  const { key } = addSearch(db)
  const mine = createHolder()
  acquireLease(db, key, mine)
  for (const by of [-3_600_000, 7_200_000, 60_000]) {
    db.run('UPDATE leases SET beat = beat + ?', by)
    assert.equal(leaseHolder(db, key)?.holder, mine, `set by ${by}`)
    assert.throws(() => acquireLease(db, key, createHolder()), LeaseLost)
  }
  beatLease(db, key, mine)
  passTime(db)
  assert.equal(leaseHolder(db, key), null, 'but silence frees it')
})

test("a lease by another start of the system's clock is judged by the time of day", (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const mine = createHolder()
  acquireLease(db, key, mine)
  // Its steady clock began anew: by it, the beat lies in the far future, or long ago.
  for (const steady of [1e12, -1e12]) {
    db.run("UPDATE leases SET clock = 'another', steady = ?", steady)
    assert.equal(leaseHolder(db, key)!.holder, mine)
  }
  db.run('UPDATE leases SET beat = beat - ?', LEASE_MS + 1000)
  assert.equal(leaseHolder(db, key), null)
})

test('a beat keeps the lease, and tells who lost it', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const mine = createHolder()
  acquireLease(db, key, mine)
  passTime(db)
  assert.equal(leaseHolder(db, key), null)
  beatLease(db, key, mine)
  assert.equal(leaseHolder(db, key)!.holder, mine)
  passTime(db)
  const yours = createHolder()
  acquireLease(db, key, yours)
  assert.throws(() => beatLease(db, key, mine), LeaseLost)
})

test('who lost the lease writes nothing any more', (t) => {
  const db = storeOf(t)
  const { key } = addSearch(db)
  const mine = createHolder()
  assert.throws(() => fenced(db, key, mine, () => assert.fail('was not held')), LeaseLost)
  acquireLease(db, key, mine)
  assert.equal(
    fenced(db, key, mine, () => 7),
    7,
  )
  otherLease(db, key, 1, { machine: 'elsewhere' })
  assert.throws(() => fenced(db, key, mine, () => assert.fail('was lost')), {
    name: 'LeaseLost',
    message: 'another process took the search over',
  })
})
