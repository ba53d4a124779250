/** Lets this process import Svelte's components and rune modules: compiled as they are loaded, with the client's runtime. */
import { readFileSync } from 'node:fs'
import { registerHooks, stripTypeScriptTypes } from 'node:module'
import { fileURLToPath } from 'node:url'
import { compile, compileModule } from 'svelte/compiler'

const OPTIONS = { generate: 'client', dev: true } as const

const compiled = (url: string): string => {
  const filename = fileURLToPath(url)
  const source = readFileSync(filename, 'utf8')
  if (filename.endsWith('.svelte')) return compile(source, { ...OPTIONS, filename, css: 'external' }).js.code
  return compileModule(stripTypeScriptTypes(source), { ...OPTIONS, filename }).js.code
}

registerHooks({
  resolve: (specifier, context, next) =>
    next(specifier, { ...context, conditions: [...context.conditions, 'browser'] }),
  load: (url, context, next) =>
    /\.svelte(\.ts)?$/.test(url)
      ? { format: 'module', source: compiled(url), shortCircuit: true }
      : next(url, context),
})
