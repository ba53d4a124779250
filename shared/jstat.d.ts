/** What this program uses of jStat, which comes without types. */
declare module 'jstat' {
  const jStat: {
    /** Student's t distribution with `freedom` degrees of freedom. */
    readonly studentt: {
      cdf(t: number, freedom: number): number
      inv(probability: number, freedom: number): number
    }
  }
  export default jStat
}
