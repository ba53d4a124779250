/**
 * The family tree over time: x is the candidate's number, so that a row is all there is to find. Rows are packed like a
 * tidy tree with free horizontal extents: a layer shares the row of its longest-lived child, the other children's
 * subtrees go above or below at the least distance at which their outlines do not meet. No two branches cross,
 * and families that died out leave their place to later ones.
 */
export type TreeNode = {
  readonly number: number
  /** Number of a node that comes earlier in the list, or null for a root. */
  readonly parent: number | null
  /** A label stands to the left of the node. */
  readonly labelled: boolean
  /** Place from left to right, no less than the parent's; absent: the number. */
  readonly x?: number
  /** Where it ends, for one that is long. */
  readonly end?: number
  /** Rows it takes; absent: one. */
  readonly rows?: number
}

export type Tree = {
  /** Row of each drawn node; a row is one unit high. */
  readonly rows: ReadonlyMap<number, number>
  /** First and last row used. */
  readonly extent: readonly [number, number]
  /** How many descendants of a collapsed node are not drawn, by its number. */
  readonly hidden: ReadonlyMap<number, number>
}

/** Columns of an outline. A node takes two, so that marks on one row keep apart when the whole tree is shown. */
const COLUMNS = 256
const MARK = 2
const LABEL = 28
/** Free rows between the families of labelled roots. */
const GAP = 0.6

/**
 * Rows used per column, from `end` leftwards: `low[i]`, `high[i]` belong to column `end - i`, relative to the row of
 * the subtree's own node.
 */
type Outline = { readonly end: number; readonly low: number[]; readonly high: number[] }
type Branch = { number: number; start: number; outline: Outline; descendants: number; offset: number }

/** Extends an outline to the left, over the line that leads to it. */
const reach = (outline: Outline, start: number): void => {
  for (let column = outline.end - outline.low.length; column >= start; column--) {
    outline.low.push(0)
    outline.high.push(0)
  }
}

/** How far `child` must move down (1) or up (-1) so that it clears `base`. */
const distance = (base: Outline, child: Outline, side: 1 | -1, least: number): number => {
  let needed = least
  for (let i = 0; i < child.low.length; i++) {
    const j = base.end - (child.end - i)
    if (j < 0) continue
    if (j >= base.low.length) break
    const meets = side === 1 ? base.high[j]! - child.low[i]! + 1 : child.high[i]! - base.low[j]! + 1
    if (meets > needed) needed = meets
  }
  return needed
}

const absorb = (base: Outline, child: Outline, offset: number): void => {
  for (let i = 0; i < child.low.length; i++) {
    const j = base.end - (child.end - i)
    if (j < 0 || j >= base.low.length) continue
    base.low[j] = Math.min(base.low[j]!, child.low[i]! + offset)
    base.high[j] = Math.max(base.high[j]!, child.high[i]! + offset)
  }
}

/** Lays out a forest; `nodes` ascend by number and parents come before their children. */
export const layoutTree = (nodes: readonly TreeNode[], collapsed: ReadonlySet<number> = new Set()): Tree => {
  const placeOf = (node: TreeNode): number => node.end ?? node.x ?? node.number
  const last = nodes.reduce((most, node) => Math.max(most, placeOf(node)), 1)
  const column = (x: number): number => Math.floor((x / last) * (COLUMNS - 1))
  const known = new Set(nodes.map((node) => node.number))
  const branches = new Map<number, Branch[]>()
  const hidden = new Map<number, number>()
  const roots: { branch: Branch; labelled: boolean }[] = []
  const made = new Map<number, Branch[]>()

  for (let i = nodes.length - 1; i >= 0; i--) {
    const node = nodes[i]!
    const children = branches.get(node.number) ?? []
    branches.delete(node.number)
    const descendants = children.reduce((sum, child) => sum + child.descendants + 1, 0)
    const start = column(node.x ?? node.number)
    let branch: Branch
    if (children.length === 0 || collapsed.has(node.number)) {
      if (children.length > 0) hidden.set(node.number, descendants)
      const end = Math.min(COLUMNS - 1, column(placeOf(node)) + MARK - 1)
      const outline: Outline = { end, low: [], high: [] }
      reach(outline, start)
      const half = ((node.rows ?? 1) - 1) / 2
      outline.low.fill(-half)
      outline.high.fill(half)
      branch = { number: node.number, start, outline, descendants, offset: 0 }
    } else {
      branch = join(node.number, start, children, descendants)
      made.set(node.number, children)
    }
    const parent = node.parent !== null && known.has(node.parent) ? node.parent : null
    if (parent === null) {
      if (node.labelled) reach(branch.outline, Math.max(0, start - LABEL))
      roots.push({ branch, labelled: node.labelled })
    } else {
      const siblings = branches.get(parent)
      if (siblings) siblings.push(branch)
      else branches.set(parent, [branch])
    }
  }
  return settle(roots.reverse(), made, hidden)
}

/** A node with its children's subtrees: the longest-lived one carries its row on. */
const join = (number: number, start: number, children: Branch[], descendants: number): Branch => {
  children.sort(
    (a, b) => a.outline.end - b.outline.end || a.descendants - b.descendants || b.number - a.number,
  )
  const main = children.at(-1)!
  const outline = main.outline
  reach(outline, start)
  for (const child of children) {
    if (child === main) continue
    reach(child.outline, start)
    const down = distance(outline, child.outline, 1, 1)
    const up = distance(outline, child.outline, -1, 1)
    child.offset = down <= up ? down : -up
    absorb(outline, child.outline, child.offset)
  }
  return { number, start, outline, descendants, offset: 0 }
}

const settle = (
  roots: readonly { branch: Branch; labelled: boolean }[],
  made: ReadonlyMap<number, Branch[]>,
  hidden: ReadonlyMap<number, number>,
): Tree => {
  const ground: Outline = { end: COLUMNS - 1, low: [], high: [] }
  for (let i = 0; i < COLUMNS; i++) {
    ground.low.push(0)
    ground.high.push(-1)
  }
  const rows = new Map<number, number>()
  let first = 0
  let final = 0
  for (const { branch, labelled } of roots) {
    const down = distance(ground, branch.outline, 1, -Infinity)
    const up = distance(ground, branch.outline, -1, -Infinity)
    // Labelled families stand in order from the top; the others go where the forest grows least.
    const row = labelled || down <= up ? Math.max(down, 0) + (labelled ? GAP : 0) : -up
    absorb(ground, branch.outline, row)
    const pending: [Branch, number][] = [[branch, row]]
    for (let next = pending.pop(); next; next = pending.pop()) {
      const [at, y] = next
      rows.set(at.number, y)
      first = Math.min(first, y)
      final = Math.max(final, y)
      for (const child of made.get(at.number) ?? []) pending.push([child, y + child.offset])
    }
  }
  return { rows, extent: [first, final], hidden }
}
