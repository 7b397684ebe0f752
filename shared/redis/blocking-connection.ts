import { Redis, type RedisOptions } from 'ioredis';
import { CorkedConnection } from './corked-connection.ts';

type Script = Parameters<Redis['defineCommand']>[1];

/** Never connects: scripts are made on it. */
const template = new Redis({ lazyConnect: true });
const luaOf = new Map<string, Script['lua']>();

/**
 * A connection that BullMQ waits on, one for each attached queue. BullMQ gives every one all of its sixty-odd scripts, though it
 * runs none of them here: hashed and wrapped anew they cost half a millisecond and two thirds of the queue's heap. They are made
 * once instead and stand on the prototype, where BullMQ finds them. (A pipeline of such a connection would not know them.)
 */
class BlockingConnection extends Redis {
  override defineCommand(name: string, script: Script): void {
    if (luaOf.has(name) && luaOf.get(name) !== script.lua) {
      super.defineCommand(name, script);
      return;
    }
    luaOf.set(name, script.lua);
    template.defineCommand(name, script);
    for (const method of [name, `${name}Buffer`])
      Object.defineProperty(BlockingConnection.prototype, method, {
        // defineCommand adds methods of these names; they run on whatever they are called on.
        value: Reflect.get(template, method),
        configurable: true,
        writable: true,
      });
  }
}

/**
 * How long a blocking connection that is given up may take to end before it is torn down. While Redis rewrites its AOF, the
 * child it forked keeps every socket open that it inherited: the other end never comes, and ioredis would wait two seconds.
 */
export const DISCONNECT_MS = 100;

/** The connection whose duplicates are {@link BlockingConnection}s. */
export class EngineConnection extends CorkedConnection {
  override duplicate(override?: Partial<RedisOptions>): Redis {
    // Its types tell apart by this option how replies are mapped; no connection of ours sets it.
    const options: Omit<RedisOptions, 'replyMapping'> = {
      ...this.options,
      disconnectTimeout: DISCONNECT_MS,
      ...override,
    };
    return new BlockingConnection(options);
  }
}
