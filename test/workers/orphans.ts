/** A program that is killed while its workers work: prints their ids when all are at it. One hangs, one beats. */
import { fingerprintOf, jobOf, poolOf } from './fixture.ts'

const { pool, pids } = poolOf(
  { faults: { [fingerprintOf(0)]: 'hang', [fingerprintOf(1)]: 'endless' } },
  { count: 2 },
)
let started = 0
for (const layer of [0, 1])
  void pool.run(
    jobOf(layer, {
      onStart: () => {
        started += 1
        if (started === 2) console.log(pids.join(' '))
      },
    }),
  )
