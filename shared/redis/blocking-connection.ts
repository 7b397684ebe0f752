import { type Callback, Redis, type RedisOptions } from 'ioredis';
import { CorkedConnection } from './corked-connection.ts';

type Script = Parameters<Redis['defineCommand']>[1];

/** Never connects: scripts are made on it. */
const template = new Redis({ lazyConnect: true });
const luaOf = new Map<string, Script['lua']>();

type InfoArgs = (string | Buffer | Callback<string> | undefined)[];
/** None of its overloads takes them all. */
const ask = Redis.prototype.info as (this: unknown, ...args: InfoArgs) => Promise<string>;

/**
 * A connection that BullMQ waits on, one for each attached queue. BullMQ gives every one all of its sixty-odd scripts, though it
 * runs none of them here: hashed and wrapped anew they cost half a millisecond and two thirds of the queue's heap. They are made
 * once instead and stand on the prototype, where BullMQ finds them. (A pipeline of such a connection would not know them.)
 */
class BlockingConnection extends Redis {
  readonly #engine: EngineConnection;

  constructor(options: Omit<RedisOptions, 'replyMapping'>, engine: EngineConnection) {
    super(options);
    this.#engine = engine;
  }

  /**
   * The whole of `INFO` costs Redis and us more than everything else of a new connection. ioredis asks whether the data is loaded
   * (and of a sentinel's server, which part it plays), BullMQ which version this is.
   */
  override info(...args: InfoArgs): Promise<string> {
    if (args.length === 0) return this.#engine.info();
    const isReadyCheck = typeof args[0] === 'function';
    return ask.apply(this, isReadyCheck && !this.options.sentinels ? ['persistence', ...args] : args);
  }

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
  #version: Promise<string> | undefined;

  /** Without a section it is BullMQ that asks, with every queue, and wants the version: that stays what it is while the connection stands. */
  override info(...args: InfoArgs): Promise<string> {
    if (args.length > 0) return ask.apply(this, args);
    if (!this.#version) {
      const asked = ask.apply(this, []);
      const forget = () => {
        if (this.#version === asked) this.#version = undefined;
        this.off('close', forget);
      };
      asked.catch(forget);
      this.once('close', forget);
      this.#version = asked;
    }
    return this.#version;
  }

  override duplicate(override?: Partial<RedisOptions>): Redis {
    // Its types tell apart by this option how replies are mapped; no connection of ours sets it.
    const options: Omit<RedisOptions, 'replyMapping'> = {
      ...this.options,
      disconnectTimeout: DISCONNECT_MS,
      // Two commands more that tell Redis ioredis' name and version, as the engine's own has.
      disableClientInfo: true,
      ...override,
    };
    return new BlockingConnection(options, this);
  }
}
