/** Node's options for one side of a bench: BENCH_PROFILE names the side of which a CPU profile is written. */
export const profiling = (side: string): string[] =>
  process.env['BENCH_PROFILE'] === side ? ['--cpu-prof', '--cpu-prof-dir=.data/profiles'] : []
