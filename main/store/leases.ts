import { randomUUID } from 'node:crypto'
import { readFileSync, readlinkSync } from 'node:fs'
import { hostname, platform } from 'node:os'
import { numberOf, text, textOrNull, type Database, type Row } from './database.ts'

/** A lease whose holder gave no sign for so long is free, even when its process id is in use. */
export const LEASE_MS = 30_000

/** The key under which the transfers of a store, all of them together, are leased: no search has it. */
export const TRANSFERS = 0

const named = (key: number): string => (key === TRANSFERS ? 'the transfers are' : 'the search is')

export class LeaseLost extends Error {
  override readonly name = 'LeaseLost'
}

/** Holders made by this process: one of its id but not among them had the same id before, in a container, say. */
const own = new Set<string>()

/** A new name to hold leases under. */
export const createHolder = (): string => {
  const holder = randomUUID()
  own.add(holder)
  return holder
}

/**
 * Names the steady clock of this process, which all processes of one start of the system share: it is never set, and stands
 * still while the machine sleeps, as its processes do. A container may have one of its own. null: it has no name here.
 */
export const CLOCK = ((): string | null => {
  try {
    const boot = readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim()
    return `${boot} ${readlinkSync('/proc/self/ns/time')}`
  } catch {
    return null
  }
})()

/** The steady clock, milliseconds. */
const steady = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/**
 * Milliseconds since a lease's last beat: by the steady clock where holder and reader share it. Else, on another machine or
 * before a restart of this one, only by the time of day: a beat far in its future was given before it was set back.
 */
const ageOf = (row: Row): number =>
  CLOCK !== null && textOrNull(row, 'clock') === CLOCK
    ? steady() - numberOf(row, 'steady')
    : Math.abs(Date.now() - numberOf(row, 'beat'))

/** Who runs a search now; null: nobody. A dead holder (same machine, process gone) counts as nobody. */
export const leaseHolder = (
  db: Database,
  key: number,
): { readonly holder: string; readonly pid: number; readonly machine: string } | null => {
  const row = db.get('SELECT * FROM leases WHERE search = ?', key)
  if (!row || ageOf(row) > LEASE_MS) return null
  const [holder, machine, pid] = [text(row, 'holder'), text(row, 'machine'), numberOf(row, 'pid')]
  const alive = pid === process.pid ? own.has(holder) : processAlive(pid)
  return machine === hostname() && !alive ? null : { holder, pid, machine }
}

/** Takes the lease of a search (or of the transfers), so that no two processes run it. Throws one sentence when another has it. */
export const acquireLease = (db: Database, key: number, holder: string): void =>
  db.write(() => {
    const now = leaseHolder(db, key)
    if (now && now.holder !== holder)
      throw new LeaseLost(`${named(key)} being run by process ${now.pid} on ${now.machine}`)
    db.run(
      'INSERT OR REPLACE INTO leases (search, holder, machine, pid, beat, clock, steady) VALUES (?, ?, ?, ?, ?, ?, ?)',
      key,
      holder,
      hostname(),
      process.pid,
      Date.now(),
      CLOCK,
      steady(),
    )
  })

export const beatLease = (db: Database, key: number, holder: string): void => {
  const kept = db.run(
    'UPDATE leases SET beat = ?, clock = ?, steady = ? WHERE search = ? AND holder = ?',
    Date.now(),
    CLOCK,
    steady(),
    key,
    holder,
  )
  if (kept === 0) throw lost(key)
}

const lost = (key: number): LeaseLost =>
  new LeaseLost(`another process took the ${key === TRANSFERS ? 'transfers' : 'search'} over`)

export const releaseLease = (db: Database, key: number, holder: string): void => {
  db.run('DELETE FROM leases WHERE search = ? AND holder = ?', key, holder)
}

/** Writes for the holder of the lease only: one who lost it (a suspended process) must not touch the search. */
export const fenced = <T>(db: Database, key: number, holder: string, action: () => T): T =>
  db.write(() => {
    if (db.get('SELECT holder FROM leases WHERE search = ?', key)?.['holder'] !== holder) throw lost(key)
    return action()
  })

const processAlive = (pid: number): boolean => {
  try {
    process.kill(pid, 0)
    return !(platform() === 'linux' && isZombie(pid))
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM'
  }
}

/** A process that ended keeps its number until its parent takes note, which in a container may be never. */
const isZombie = (pid: number): boolean => {
  try {
    return /^\d+ \(.*\) Z /s.test(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return false
  }
}
