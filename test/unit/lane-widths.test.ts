import { expect, it } from 'vitest';
import { createLaneWidths } from '../../worker/run-import/lane-widths.ts';

it('batches at once halve where they are in each other’s way, and come back one by one', () => {
  const widths = createLaneWidths();
  const now = () => widths.of('i', 7);
  expect(now()).toBe(7);
  widths.wider('i', 7);
  expect(now()).toBe(7);
  const seen = [1, 2, 3, 4].map(() => {
    widths.narrower('i', 7);
    return now();
  });
  expect(seen).toEqual([3, 1, 1, 1]);
  const back = Array.from({ length: 7 }, () => {
    widths.wider('i', 7);
    return now();
  });
  expect(back).toEqual([2, 3, 4, 5, 6, 7, 7]);
  widths.narrower('i', 7);
  expect(widths.of('another', 7)).toBe(7);
  // The account may have fewer calls by now.
  expect(widths.of('i', 2)).toBe(2);
  widths.forget('i');
  expect(now()).toBe(7);
});
