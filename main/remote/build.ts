/** Which results may stand beside each other: those of one build, told by the sources that decide what comes out. */
import { createHash } from 'node:crypto'
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../setup/process.mjs'
import { version } from '../versions.ts'

/** Raised when what hosts and machines say to each other changes. */
const PROTOCOL = 1

export type Build = { readonly version: string; readonly digest: string }

let known: Build | null = null

/** 12 hexadecimal digits for the engine and all that it shares with the rest, beside the program's version. */
export const buildOf = (): Build => {
  if (known) return known
  const hash = createHash('sha256').update(`${PROTOCOL} ${version}`)
  const files = globSync('{main/engine,shared}/**/*.{ts,cc,h,json}', { cwd: root }).sort()
  for (const file of files)
    hash.update(`\0${file.split(path.sep).join('/')}\0`).update(readFileSync(path.join(root, file)))
  known = { version, digest: hash.digest('hex').slice(0, 12) }
  return known
}

export const buildText = ({ version, digest }: Build): string => `NormForge ${version}, build ${digest}`
