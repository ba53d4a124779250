/** Small on purpose: lines of code per folder, blank lines and comments not counted, against a budget. */
import { globSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { root } from '../main/setup/process.mjs'

const BUDGET: Readonly<Record<string, number>> = {
  'main/browser': 400,
  'main/electron': 900,
  'main/engine': 11800,
  'main/remote': 1750,
  'main/search': 2000,
  'main/setup': 1700,
  'main/store': 2100,
  'main/workers': 1400,
  main: 3800,
  shared: 7000,
  renderer: 18000,
  test: 30000,
}

/** Lines that hold code, in a file of this name. */
export const codeLines = (file: string, text: string): number => {
  const remark = file.endsWith('.py') ? /^\s*(#.*)?$/ : /^\s*(\/\/.*)?$/
  return text
    .replace(/\/\*[\s\S]*?\*\/|<!--[\s\S]*?-->|^\s*"""[\s\S]*?"""/gm, '')
    .split('\n')
    .filter((line) => !remark.test(line)).length
}

const folderOf = (file: string): string =>
  Object.keys(BUDGET).find((folder) => file.startsWith(`${folder}${path.sep}`)) ?? ''

export const lineCheck = (): { ok: boolean; text: string } => {
  const counts = new Map(Object.keys(BUDGET).map((folder) => [folder, 0]))
  for (const file of globSync('{main,shared,renderer,test}/**/*.{ts,mjs,cjs,svelte,css,py,cc,h}', {
    cwd: root,
  })) {
    const folder = folderOf(file)
    counts.set(
      folder,
      (counts.get(folder) ?? 0) + codeLines(file, readFileSync(path.join(root, file), 'utf8')),
    )
  }
  const rows = [...counts].map(([folder, count]) => ({ folder, count, budget: BUDGET[folder] ?? 0 }))
  const text = rows.map(
    ({ folder, count, budget }) =>
      `${count > budget ? '!' : ' '} ${folder.padEnd(14)} ${String(count).padStart(6)} of ${budget}`,
  )
  return { ok: rows.every(({ count, budget }) => count <= budget), text: text.join('\n') }
}
