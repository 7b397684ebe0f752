/**
 * How many batches of an import go at once: as many as the account allows, until they get into each other's way (locked rows) or
 * the gate sends them away; then half as many, and one more with every batch that goes well. Only advice, so it is kept in
 * this process.
 */
export function createLaneWidths() {
  const widths = new Map<string, number>();
  return {
    of: (id: string, max: number): number => Math.min(max, widths.get(id) ?? max),
    wider(id: string, max: number): void {
      const width = widths.get(id);
      if (width === undefined) return;
      if (width + 1 >= max) widths.delete(id);
      else widths.set(id, width + 1);
    },
    narrower(id: string, max: number): void {
      widths.set(id, Math.max(1, Math.floor(Math.min(max, widths.get(id) ?? max) / 2)));
    },
    forget: (id: string): void => void widths.delete(id),
  };
}
export type LaneWidths = ReturnType<typeof createLaneWidths>;
