/** A reader of protocol buffers, just enough for what TensorFlow says of its ops, kernels and graphs. */

/** Fields of a message by their numbers: varints as numbers, all else as bytes. */
export type Message = ReadonlyMap<number, readonly (number | Uint8Array)[]>

const WIDTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 }

export const messageOf = (bytes: Uint8Array): Message => {
  const fields = new Map<number, (number | Uint8Array)[]>()
  const reader = { bytes, at: 0 }
  while (reader.at < bytes.length) {
    const key = varint(reader)
    const [number, wire] = [Math.floor(key / 8), key % 8]
    const length = wire === 0 ? 0 : (WIDTHS[wire] ?? varint(reader))
    const value = wire === 0 ? varint(reader) : bytes.subarray(reader.at, reader.at + length)
    reader.at += length
    if (!(reader.at <= bytes.length))
      throw new Error(`message: needed ${reader.at} bytes, got ${bytes.length}`)
    const known = fields.get(number)
    if (known) known.push(value)
    else fields.set(number, [value])
  }
  return fields
}

type Reader = { readonly bytes: Uint8Array; at: number }
const varint = (reader: Reader): number => {
  let value = 0
  for (let factor = 1; ; factor *= 128) {
    const byte = reader.bytes[reader.at++] ?? 0
    value += (byte & 127) * factor
    if (byte < 128) return value
  }
}

const bytesIn = (message: Message, field: number): Uint8Array[] =>
  (message.get(field) ?? []).filter((value) => typeof value !== 'number')

export const messages = (message: Message, field: number): Message[] => bytesIn(message, field).map(messageOf)

export const texts = (message: Message, field: number): string[] =>
  bytesIn(message, field).map((bytes) => Buffer.from(bytes).toString())

export const text = (message: Message, field: number): string => texts(message, field)[0] ?? ''

/** Numbers of a field, packed or one by one. */
export const numbers = (message: Message, field: number): number[] =>
  (message.get(field) ?? []).flatMap((value) => {
    if (typeof value === 'number') return [value]
    const reader = { bytes: value, at: 0 }
    const unpacked: number[] = []
    while (reader.at < value.length) unpacked.push(varint(reader))
    return unpacked
  })
