import { z } from 'zod'
import { recordKind } from './record.ts'
import type { Of } from './shapes.ts'

export const madeSchema = z.record(z.string(), z.string())
/** Where and with what something was computed: machine, processor, device, versions; label to value. */
export type Made = Of<typeof madeSchema>

export const MADE = recordKind('versions', madeSchema, { envelope: true })
