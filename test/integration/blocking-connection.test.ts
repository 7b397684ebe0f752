import { randomUUID } from 'node:crypto';
import { expect, it, onTestFinished } from 'vitest';
import { EngineConnection } from '../../shared/redis/blocking-connection.ts';
import { testRedisUrl } from '../support/redis.ts';

type Script = (...args: string[]) => Promise<unknown>;

/** `defineCommand` adds a method of that name, which the type does not know. */
const scriptOf = (connection: EngineConnection, name: string): Script => Reflect.get(connection, name);

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
  const [first, second] = [scriptOf(one, name), scriptOf(other, name)];
  expect(second).toBe(first);
  expect(await Promise.all([first.call(one, 'a', '1'), second.call(other, 'b', '2')])).toEqual(['a1', 'b2']);
});

it('keeps a script to itself whose name has another text elsewhere', async () => {
  const [one, other] = twoOfEngine();
  const name = `which:${randomUUID()}`;
  one.defineCommand(name, { numberOfKeys: 0, lua: "return 'one'" });
  other.defineCommand(name, { numberOfKeys: 0, lua: "return 'other'" });
  const [first, second] = [scriptOf(one, name), scriptOf(other, name)];
  expect(await Promise.all([first.call(one), second.call(other)])).toEqual(['one', 'other']);
});
