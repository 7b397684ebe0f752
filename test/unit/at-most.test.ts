import { expect, it } from 'vitest';
import { atMost } from '../../shared/at-most.ts';

it('runs so many at once, all in the order of their coming, and goes on after one that fails', async () => {
  const limited = atMost(2);
  const begun: number[] = [];
  let [running, most] = [0, 0];
  const task = (n: number) => async () => {
    begun.push(n);
    most = Math.max(most, ++running);
    await new Promise(setImmediate);
    running--;
    if (n === 1) throw new Error('no');
    return n;
  };
  const ended = await Promise.allSettled([0, 1, 2, 3, 4].map((n) => limited(task(n))));
  expect(begun).toEqual([0, 1, 2, 3, 4]);
  expect(most).toBe(2);
  expect(ended.map(({ status }) => status)).toEqual([
    'fulfilled',
    'rejected',
    'fulfilled',
    'fulfilled',
    'fulfilled',
  ]);
  // The place of the last is free again.
  expect(await limited(task(5))).toBe(5);
});
