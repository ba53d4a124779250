import { createAlgebra, type Algebra } from './algebra.ts'
import { createArena, type Arena } from './expression.ts'
import { createFunctions, type Functions } from './functions.ts'
import { createReductions, type Reductions } from './reductions.ts'

/** All that expressions of one derivation are built with. */
export type Symbols = {
  readonly arena: Arena
  readonly algebra: Algebra
  readonly reductions: Reductions
  readonly functions: Functions
}

export const createSymbols = (): Symbols => {
  const arena = createArena()
  const algebra = createAlgebra(arena)
  const reductions = createReductions(algebra)
  return { arena, algebra, reductions, functions: createFunctions(algebra, reductions) }
}
