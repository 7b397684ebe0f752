/** Takes one of `options` ways, 0 … options − 1. */
export type Choose = (options: number) => number;

/**
 * Runs `run` once for every sequence of choices it can be given: depth first, each time from the beginning.
 * @returns how many runs there were.
 * @throws Error with the choices that led to it, when a run throws.
 */
export async function exploreAll(run: (choose: Choose) => Promise<void>): Promise<number> {
  let prefix: number[] = [];
  for (let runs = 1; ; runs++) {
    const taken: number[] = [];
    const sizes: number[] = [];
    const choose: Choose = (options) => {
      const choice = prefix[taken.length] ?? 0;
      taken.push(choice);
      sizes.push(options);
      return choice;
    };
    try {
      await run(choose);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : String(cause);
      throw new Error(`after ${runs} runs, with the choices ${taken.join(' ')}:\n${message}`, { cause });
    }
    let last = taken.length - 1;
    while (last >= 0 && (taken[last] ?? 0) + 1 >= (sizes[last] ?? 0)) last--;
    if (last < 0) return runs;
    prefix = [...taken.slice(0, last), (taken[last] ?? 0) + 1];
  }
}
