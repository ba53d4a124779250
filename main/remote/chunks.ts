/** Blocks of bytes that travel through Redis in chunks, told and checked by their SHA-256. */
import { createHash } from 'node:crypto'
import type { Redis } from 'ioredis'
import { z } from 'zod'
import { NAMES } from './names.ts'

const CHUNK_BYTES = 2 ** 20
/** Larger blocks do not travel. */
export const MOST_BYTES = 512 * 2 ** 20

export const blockSchema = z.strictObject({
  digest: z.string().regex(/^[0-9a-f]{64}$/),
  bytes: z.int().min(0).max(MOST_BYTES),
})
export type Block = z.infer<typeof blockSchema>

const chunksIn = ({ bytes }: Block): number => Math.ceil(bytes / CHUNK_BYTES)

/** Kept for so many seconds. One chunk is under way at a time, so that heartbeats go between them. */
export const sendBlock = async (redis: Redis, bytes: Buffer, seconds: number): Promise<Block> => {
  if (bytes.length > MOST_BYTES)
    throw new Error(`chunks: needed at most ${MOST_BYTES} bytes, got ${bytes.length}`)
  const block = { digest: createHash('sha256').update(bytes).digest('hex'), bytes: bytes.length }
  for (let i = 0; i < chunksIn(block); i++)
    await redis.set(
      NAMES.chunk(block.digest, i),
      bytes.subarray(i * CHUNK_BYTES, (i + 1) * CHUNK_BYTES),
      'EX',
      seconds,
    )
  return block
}

/** Throws when a chunk is missing, or they are not what the block says. */
export const receiveBlock = async (redis: Redis, block: Block): Promise<Buffer> => {
  const chunks: Buffer[] = []
  for (let i = 0; i < chunksIn(block); i++) {
    const chunk = await redis.getBuffer(NAMES.chunk(block.digest, i))
    if (!chunk || chunk.length > CHUNK_BYTES) throw new Error('chunks: one of a block is missing')
    chunks.push(chunk)
  }
  const bytes = Buffer.concat(chunks)
  if (bytes.length !== block.bytes || createHash('sha256').update(bytes).digest('hex') !== block.digest)
    throw new Error('chunks: those of a block are not what it says')
  return bytes
}

export const dropBlock = async (redis: Redis, block: Block): Promise<void> => {
  for (let i = 0; i < chunksIn(block); i++) await redis.del(NAMES.chunk(block.digest, i))
}
