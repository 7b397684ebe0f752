export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.floor((sorted.length - 1) / 2)] ?? Number.NaN;
}

export function percentile(values: readonly number[], p: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.min(sorted.length - 1, Math.floor((p / 100) * sorted.length))] ?? Number.NaN;
}

export function round(value: number, digits = 2): number {
  return Number(value.toFixed(digits));
}

export type Figures = Record<string, unknown>;
/** `quick`: the whole suite must stay under a minute. */
export type Bench = (options: { quick: boolean }) => Promise<Figures>;

/** Paired rounds of two contenders: how ours stands to the floor, by the rounds themselves and by their medians. */
export function compareRounds(
  ours: readonly number[],
  floors: readonly number[],
  ratioMin?: number,
): Figures {
  const ratio = median(ours.map((rate, i) => rate / (floors[i] ?? Number.NaN)));
  return {
    rounds: ours.map((rate, i) => ({ ours: round(rate, 1), floor: round(floors[i] ?? Number.NaN, 1) })),
    ratio: round(ratio),
    ratio_of_medians: round(median(ours) / median(floors)),
    ...(ratioMin === undefined ? {} : { target: { ratio_min: ratioMin }, met: { ratio: ratio >= ratioMin } }),
  };
}
