import { EnvironmentError } from '../workers/protocol.ts'

const renamed = (error: unknown): EnvironmentError =>
  new EnvironmentError((error as Error).message, { cause: error })

/** Runs what can only fail by no fault of the layer: data and files that the user gave. */
export const environment = <T>(what: () => T): T => {
  try {
    return what()
  } catch (error) {
    throw renamed(error)
  }
}

/** The same for a promise. */
export const environmentally = <T>(work: Promise<T>): Promise<T> =>
  work.catch((error: unknown) => {
    throw renamed(error)
  })
