/** Which part of a folder trains and which validates: by the parts' names, unless it is chosen. */
import type { DataSplit, SplitChoice } from '../../../shared/data.ts'

export type Kind = 'training' | 'validation' | 'test' | 'other'

/** The same name twice: the validation images are held out of that part. */
export type Chosen = { readonly training: string; readonly validation: string }
export type Choice = Chosen | { readonly question: string }

/**
 * One part for training and one for validation are taken; what is for tests is left alone; without one for validation its
 * images are held out of the training part. Where several parts would do it is a question for the user.
 */
export const chooseSplits = (
  names: readonly string[],
  kindOf: (name: string) => Kind,
  { trainingSplit, validationSplit }: SplitChoice,
  who: string,
): Choice => {
  for (const [role, name] of [['training', trainingSplit] as const, ['validation', validationSplit] as const])
    if (name !== undefined && !names.includes(name))
      throw new Error(`${who}: needed for ${role} one of ${names.join(', ')}, got ${name}`)
  const of = (kind: Kind): string[] => names.filter((name) => kindOf(name) === kind)
  const [trainers, others] = [of('training'), of('other')]
  const training =
    trainingSplit ?? (trainers.length === 1 ? trainers[0] : trainers.length === 0 ? only(others) : undefined)
  if (training === undefined)
    return { question: `Which part is for training: ${(trainers.length > 1 ? trainers : names).join(', ')}?` }
  if (validationSplit !== undefined) return { training, validation: validationSplit }
  const validators = of('validation').filter((name) => name !== training)
  if (validators.length === 1) return { training, validation: validators[0]! }
  const left = others.filter((name) => name !== training)
  if (validators.length > 1 || left.length > 0)
    return {
      question:
        `Which part is for validation: ${(validators.length > 1 ? validators : left).join(', ')}, ` +
        `or ${training} as well (held out of it)?`,
    }
  return { training, validation: training }
}

const only = (names: readonly string[]): string | undefined => (names.length === 1 ? names[0] : undefined)

/** What becomes of each part. */
export const useOf = (name: string, { training, validation }: Chosen): DataSplit['use'] =>
  name === training ? (name === validation ? 'both' : 'training') : name === validation ? 'validation' : null
