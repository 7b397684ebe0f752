import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { EngineConnection } from '../../shared/redis/blocking-connection.ts';
import { testRedisUrl } from '../support/redis.ts';

type Scripted = { [name: string]: (...args: string[]) => Promise<unknown> };

/** Two connections as BullMQ makes them for its blocking reads. */
function twoOfEngine() {
  const engine = new EngineConnection(testRedisUrl());
  const both = [engine.duplicate(), engine.duplicate()] as const;
  onTestFinished(() => {
    for (const connection of [engine, ...both]) connection.disconnect();
  });
  return both;
}

it('shares its scripts with the others of the engine', async () => {
  const [one, other] = twoOfEngine();
  const name = `echo:${randomUUID()}`;
  one.defineCommand(name, { numberOfKeys: 1, lua: 'return KEYS[1] .. ARGV[1]' });
  // defineCommand adds a method of this name, which the type does not know.
  const [first, second] = [one as unknown as Scripted, other as unknown as Scripted];
  expect(second[name]).toBe(first[name]);
  expect(await Promise.all([first[name]?.('a', '1'), second[name]?.('b', '2')])).toEqual(['a1', 'b2']);
});

it('keeps a script to itself whose name has another text elsewhere', async () => {
  const [one, other] = twoOfEngine();
  const name = `which:${randomUUID()}`;
  one.defineCommand(name, { numberOfKeys: 0, lua: "return 'one'" });
  other.defineCommand(name, { numberOfKeys: 0, lua: "return 'other'" });
  const [first, second] = [one as unknown as Scripted, other as unknown as Scripted];
  expect(await Promise.all([first[name]?.(), second[name]?.()])).toEqual(['one', 'other']);
});
