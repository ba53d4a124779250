import type { FullOp, FusedName, Location, Phase, Plan, SmallOp, Step } from './plan.ts'
import type { Instruction, InstructionName, Operand, Scalar, Size, Sizes } from './program.ts'

type Fused = Omit<Instruction, 'op'> & {
  readonly op: InstructionName | FusedName
  /** The tensor that holds the sum of `moments`. */
  readonly sum?: number
}

type Position = { readonly phase: number; readonly step: number }
const START: Position = { phase: 0, step: 0 }
const later = (a: Position, b: Position): Position =>
  a.phase > b.phase || (a.phase === b.phase && a.step >= b.step) ? a : b

const ofSample = (size: Size): boolean => size === 'nc' || size === 'n'

/** Lays out the instructions that `outputs` depend on. */
export const schedule = (
  instructions: readonly Instruction[],
  sizes: Sizes,
  inputs: readonly number[],
  outputs: readonly number[],
): Plan => {
  const live = liveOf(instructions, outputs)
  const smalls: Size[] = []
  const smallOf = new Map<number, number>()
  const constants = new Map<string, { small: number; value: Scalar }>()
  const small = (operand: Operand): number => {
    if (typeof operand !== 'number') {
      const key = JSON.stringify(operand)
      const known = constants.get(key) ?? { small: smalls.push('scalar') - 1, value: operand }
      constants.set(key, known)
      return known.small
    }
    const known = smallOf.get(operand) ?? smalls.push(sizes.get(operand)!) - 1
    smallOf.set(operand, known)
    return known
  }

  const positions = new Map<number, Position>(inputs.map((tensor) => [tensor, START]))
  const phases: { batch: SmallOp[]; steps: { sample: SmallOp[]; roots: number[] }[] }[] = []
  const phase = (index: number) => (phases[index] ??= { batch: [], steps: [] })
  const step = ({ phase: p, step: s }: Position) => (phase(p).steps[s] ??= { sample: [], roots: [] })

  for (const [index, instruction] of instructions.entries()) {
    if (!live.has(instruction)) continue
    const { op, output, size } = instruction
    const at = instruction.inputs.map((input) => (typeof input === 'number' ? positions.get(input)! : START))
    const ready = at.reduce(later, START)
    const from = instruction.inputs.map((input) => (typeof input === 'number' ? sizes.get(input)! : 'scalar'))
    if (size === 'full') {
      positions.set(output, ready)
      if (outputs.includes(output)) step(ready).roots.push(index)
    } else if (from[0] === 'full') {
      // A sum over space: there once the sample has been gone through.
      positions.set(output, { phase: ready.phase, step: ready.step + 1 })
      step(ready).roots.push(index)
    } else if (ofSample(size)) {
      positions.set(output, ready)
      step(ready).sample.push({ op, to: small(output), from: instruction.inputs.map(small) })
    } else {
      // A sum over the batch: there once every sample has been gone through.
      const whole = from.some(ofSample) ? ready.phase + 1 : ready.phase
      positions.set(output, { phase: whole, step: 0 })
      phase(whole).batch.push({ op, to: small(output), from: instruction.inputs.map(small) })
    }
  }

  const producers = new Map(instructions.map((instruction, index) => [instruction.output, index]))
  const written = new Set<number>()
  /** The positions of what a step computes, but for what lies in memory by then. */
  const neededBy = (roots: readonly number[], there: ReadonlyMap<number, number>): number[] => {
    const needed = new Set<number>()
    const pending = [...roots]
    while (pending.length > 0) {
      const index = pending.pop()!
      if (needed.has(index)) continue
      needed.add(index)
      for (const input of instructions[index]!.inputs)
        if (typeof input === 'number' && sizes.get(input) === 'full' && !written.has(input))
          if (producers.has(input) && !inputs.includes(input) && !there.has(input))
            pending.push(producers.get(input)!)
    }
    return [...needed].sort((a, b) => a - b)
  }
  const filled = Array.from(phases, (p): Phase => {
    const steps = Array.from(p?.steps ?? [], (s) => s ?? { sample: [], roots: [] })
    const kept = keptOf(steps.map(({ roots }) => neededBy(roots, NONE).map((index) => instructions[index]!)))
    const there = new Map<number, number>()
    const made = steps.map(({ sample, roots }): Step => {
      const list = neededBy(roots, there).map((index) => instructions[index]!)
      for (const { output } of list) {
        if (outputs.includes(output)) written.add(output)
        else if (kept.has(output)) there.set(output, there.get(output) ?? there.size)
      }
      return { sample, ...allocated(list, sizes, inputs, outputs, small, there) }
    })
    return { batch: p?.batch ?? [], kept: there.size, steps: made }
  })
  const described = (tensor: number) => {
    const size = sizes.get(tensor)!
    return { size, small: size === 'full' ? null : small(tensor) }
  }
  const [bound, results] = [inputs.map(described), outputs.map(described)]
  return { inputs: bound, outputs: results, smalls, constants: [...constants.values()], phases: filled }
}

const NONE: ReadonlyMap<number, number> = new Map()

/** Ops that take longer than writing their result into the processor's cache and reading it there again. */
const SLOW: ReadonlySet<InstructionName> = new Set(['exp', 'log', 'sigmoid', 'tanh'])

/** Values of slow ops that several steps of a phase, each given as all that it needs, would compute. */
const keptOf = (steps: readonly (readonly Instruction[])[]): ReadonlySet<number> => {
  const seen = new Set<number>()
  const kept = new Set<number>()
  for (const { op, output } of steps.flat()) {
    if (SLOW.has(op) && seen.has(output)) kept.add(output)
    seen.add(output)
  }
  return kept
}

const liveOf = (instructions: readonly Instruction[], outputs: readonly number[]): Set<Instruction> => {
  const needed = new Set(outputs)
  const live = new Set<Instruction>()
  for (const instruction of instructions.toReversed()) {
    if (!needed.has(instruction.output)) continue
    live.add(instruction)
    for (const input of instruction.inputs) if (typeof input === 'number') needed.add(input)
  }
  return live
}

/** Quotients by one and the same full-size divisor become products with its reciprocal: a division costs several. */
const withReciprocals = (list: readonly Instruction[], sizes: Map<number, Size>): Instruction[] => {
  const divisions = list.filter(({ op, size }) => op === 'div' && size === 'full')
  const shared = (divisor: Operand): divisor is number =>
    typeof divisor === 'number' &&
    sizes.get(divisor) === 'full' &&
    divisions.filter(({ inputs }) => inputs[1] === divisor).length > 1
  const reciprocals = new Map<number, number>()
  return list.flatMap((instruction): Instruction[] => {
    const [a, divisor] = instruction.inputs
    if (instruction.op !== 'div' || !shared(divisor!)) return [instruction]
    const known = reciprocals.get(divisor)
    const output = known ?? sizes.size
    if (known === undefined) sizes.set(output, 'full')
    reciprocals.set(divisor, output)
    const product: Instruction = { ...instruction, op: 'mul', inputs: [a!, output] }
    const reciprocal: Instruction = { op: 'reciprocal', inputs: [divisor], output, size: 'full' }
    return known === undefined ? [reciprocal, product] : [product]
  })
}

/** Products that are used once, by an addition, a subtraction or a sum, become one op with it. */
const fused = (list: readonly Fused[], outputs: readonly number[]): Fused[] => {
  const uses = new Map<Operand, number>()
  for (const { inputs } of list) for (const input of inputs) uses.set(input, (uses.get(input) ?? 0) + 1)
  const products = new Map<Operand, readonly Operand[]>()
  for (const { op, inputs, output, size } of list)
    if (size === 'full' && uses.get(output) === 1 && !outputs.includes(output)) {
      if (op === 'mul') products.set(output, inputs)
      if (op === 'square') products.set(output, [inputs[0]!, inputs[0]!])
    }
  const gone = new Set<number>()
  const combined = list.map((instruction): Fused => {
    const { op, inputs, size } = instruction
    const isSum = op === 'sum'
    if (!isSum && ((op !== 'add' && op !== 'sub') || size !== 'full')) return instruction
    const at = inputs.findIndex((input) => products.has(input))
    if (at < 0) return instruction
    gone.add(inputs[at] as number)
    const factors = products.get(inputs[at]!)!
    if (isSum) return { ...instruction, op: 'mulSum', inputs: factors }
    const name = op === 'add' ? 'mulAdd' : at === 0 ? 'mulSub' : 'subMul'
    return { ...instruction, op: name, inputs: [...factors, inputs[1 - at]!] }
  })
  return combined.filter(({ output }) => !gone.has(output))
}

/** Where both are asked for, the sum over space comes with the variance. */
const withMoments = (list: readonly Instruction[]): Fused[] => {
  const find = (op: InstructionName, tensor: Operand) =>
    list.find((instruction) => instruction.op === op && instruction.inputs[0] === tensor)
  return list.flatMap((instruction): Fused[] => {
    const { op, inputs } = instruction
    if (op === 'sum' && find('variance', inputs[0]!)) return []
    const sum = op === 'variance' ? find('sum', inputs[0]!) : undefined
    return [sum ? { ...instruction, op: 'moments', sum: sum.output } : instruction]
  })
}

/**
 * Gives each full-size value a place: outputs and what is `kept` (by its number) their own memory, the others as few
 * registers as will do.
 */
const allocated = (
  instructions: readonly Instruction[],
  known: Sizes,
  inputs: readonly number[],
  outputs: readonly number[],
  small: (operand: Operand) => number,
  kept: ReadonlyMap<number, number>,
): Omit<Step, 'sample'> => {
  const sizes = new Map(known)
  const list = fused(withMoments(withReciprocals(instructions, sizes)), outputs)
  const lastUse = new Map<number, number>()
  list.forEach((instruction, i) =>
    instruction.inputs.forEach((input) => typeof input === 'number' && lastUse.set(input, i)),
  )
  const places = new Map<number, Location>()
  const free: number[] = []
  const tiles: number[] = []
  let registers = 0

  const tile = (index: number): Location => {
    if (!tiles.includes(index)) tiles.push(index)
    return { in: 'tile', index: tiles.indexOf(index) }
  }
  const locate = (operand: Operand): Location => {
    if (typeof operand !== 'number' || sizes.get(operand) !== 'full') return tile(small(operand))
    if (inputs.includes(operand)) return { in: 'input', index: inputs.indexOf(operand) }
    if (outputs.includes(operand)) return { in: 'output', index: outputs.indexOf(operand) }
    if (kept.has(operand)) return { in: 'kept', index: kept.get(operand)! }
    return places.get(operand)!
  }
  const full = list.map(({ op, inputs: operands, output, size, sum }, i): FullOp => {
    const from = operands.map(locate)
    for (const operand of new Set(operands)) {
      const place = typeof operand === 'number' ? places.get(operand) : undefined
      if (place && lastUse.get(operand as number) === i) free.push(place.index)
    }
    if (size !== 'full') {
      const to = { in: 'small', index: small(output) } as const
      return sum === undefined ? { op, to, from } : { op, to, from, sum: small(sum) }
    }
    if (outputs.includes(output) || kept.has(output)) return { op, to: locate(output), from }
    const to = { in: 'register', index: free.pop() ?? registers++ } as const
    places.set(output, to)
    return { op, to, from }
  })
  return { tiles, registers, full }
}
