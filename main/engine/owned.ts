import { loadRuntime } from './runtime.ts'

/**
 * Gives what holds native memory an owner: it is disposed of with the stack, in reverse order, also where a later step of
 * making the whole throws.
 *
 *     using resources = new DisposableStack()
 *     const classifier = owned(resources, await cachedClassifier(…))
 *     const gan = owned(resources, createGan(…)) // when this throws, the classifier is gone too
 */
export const owned = <T extends { dispose(): void }>(owner: DisposableStack, thing: T): T =>
  owner.adopt(thing, (each) => each.dispose())

/** Makes something of variables, at once; when that throws, those it has made so far are disposed of. */
export const wholeOrNothing = <T>(make: () => T): T => {
  const variables = () => Object.values(loadRuntime().tf.engine().registeredVariables)
  const before = new Set(variables())
  try {
    return make()
  } catch (error) {
    for (const variable of variables()) if (!before.has(variable)) variable.dispose()
    throw error
  }
}
