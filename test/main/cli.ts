import { spawn } from 'node:child_process'
import path from 'node:path'
import { STAND_IN } from '../workers/stand-in.ts'

const CLI = path.resolve(import.meta.dirname, '../../main/cli.ts')

export type Ended = { readonly code: number | null; readonly out: string; readonly err: string }

/** Runs the command line on the stand-in evaluator. `during` gets the process, and what it wrote to stderr so far. */
export const cli = (
  args: readonly string[],
  env: Record<string, string> = {},
  during?: (kill: (signal: NodeJS.Signals) => void, err: () => string) => Promise<void>,
): Promise<Ended> =>
  new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', CLI, ...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      env: { ...process.env, NORMFORGE_EVALUATOR: STAND_IN, NORMFORGE_STANDIN_MS: '3', ...env },
    })
    let [out, err] = ['', '']
    child.stdout.on('data', (chunk) => (out += String(chunk)))
    child.stderr.on('data', (chunk) => (err += String(chunk)))
    child.on('close', (code) => resolve({ code, out, err }))
    during?.(
      (signal) => child.kill(signal),
      () => err,
    ).catch(reject)
  })
