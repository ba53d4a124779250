import { resolve } from 'node:path'

/** npm scripts that a user calls with paths: npm runs them in the package's folder, and tells where it was called. */
const SCRIPTS = ['cli', 'doctor', 'start']

/** The full path of one that the user gave, relative to where the program or npm was called. */
export const userPath = (given: string, env: NodeJS.ProcessEnv = process.env): string => {
  const script = env['npm_lifecycle_event'] ?? ''
  return resolve((SCRIPTS.includes(script) && env['INIT_CWD']) || process.cwd(), given)
}
