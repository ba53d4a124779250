/** A difference is told when it would come by chance less often than this; intervals cover the rest. */
export const LEVEL = 0.05

/** "0.03", "< 0.001". */
export const pText = (p: number): string => (p < 0.001 ? '< 0.001' : p.toPrecision(p < 0.1 ? 1 : 2))
