/** Something the user can put right: exit code 1 and one sentence. */
export class UserError extends Error {
  override readonly name = 'UserError'
}

/** Exit codes: done, the user's error, the program's failure; ended by a signal is 128 and its number. */
export const EXIT = { done: 0, user: 1, failure: 2, interrupted: 130 } as const
