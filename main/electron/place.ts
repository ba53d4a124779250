/** Where the host is, and what it is told. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { parseArgs } from 'node:util'
import { bundle } from './window.ts'

/** The host's Node and program (main/setup/page.ts and package.ts write host.json, its paths absolute or relative to it). */
export const hostPlace = (): { readonly node: string; readonly program: string; readonly cli: string } => {
  const told = JSON.parse(readFileSync(path.join(bundle, 'host.json'), 'utf8')) as Record<string, string>
  const program = path.resolve(bundle, told['program']!)
  return {
    node: path.resolve(bundle, told['node']!),
    program,
    cli: path.join(path.dirname(program), 'cli.ts'),
  }
}

const OPTIONS = ['data-folder', 'workers', 'threads', 'xla'] as const
const SWITCHES = ['mixed-precision'] as const

/** Options of the command line that are the host's; Chromium's own switches are among the arguments, so that others pass. */
export const hostOptions = (argv: readonly string[]): { folder: string | null; args: string[] } => {
  const { values } = parseArgs({
    args: [...argv],
    options: Object.fromEntries<{ type: 'string' | 'boolean' }>([
      ...OPTIONS.map((name) => [name, { type: 'string' }] as const),
      ...SWITCHES.map((name) => [name, { type: 'boolean' }] as const),
    ]),
    strict: false,
  })
  const folder = values['data-folder']
  return {
    folder: typeof folder === 'string' ? path.resolve(folder) : null,
    args: [
      ...OPTIONS.filter((name) => name !== 'data-folder').flatMap((name) =>
        typeof values[name] === 'string' ? [`--${name}`, values[name]] : [],
      ),
      ...SWITCHES.filter((name) => values[name] === true).map((name) => `--${name}`),
    ],
  }
}
