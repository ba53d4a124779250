/** Who is there: hosts and machines say so every few seconds, and are forgotten by Redis when they don't. */
import type { Redis } from 'ioredis'
import type { z } from 'zod'
import { readAs } from './messages.ts'
import { KEPT } from './names.ts'

type Place = { readonly all: string; readonly one: (id: string) => string }

export const announce = async (
  redis: Redis,
  { all, one }: Place,
  id: string,
  value: unknown,
): Promise<void> => {
  await redis.multi().sadd(all, id).set(one(id), JSON.stringify(value), 'EX', KEPT.presence).exec()
}

export const leave = async (redis: Redis, { all, one }: Place, id: string): Promise<void> => {
  await redis.multi().srem(all, id).del(one(id)).exec()
}

/** Those that are there, by id. What is nothing of the kind is left out. */
export const present = async <T>(
  redis: Redis,
  { all, one }: Place,
  schema: z.ZodType<T>,
): Promise<Map<string, T>> => {
  const ids = (await redis.smembers(all)).sort()
  if (ids.length === 0) return new Map()
  const texts = await redis.mget(...ids.map(one))
  const gone = ids.filter((_, i) => texts[i] === null)
  if (gone.length > 0) await redis.srem(all, ...gone)
  return new Map(
    ids.flatMap((id, i) => {
      const value = readAs(schema, texts[i] ?? null)
      return value === null ? [] : [[id, value] as const]
    }),
  )
}
