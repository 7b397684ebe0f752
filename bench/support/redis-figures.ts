import { Redis } from 'ioredis';

export type RedisFigures = { commands: number; connections: number; memoryBytes: number };

/** Asks `INFO` once over a connection of its own; its own commands (three) are not counted. */
export async function readRedisFigures(url: string): Promise<RedisFigures> {
  const client = new Redis(url);
  try {
    const info = await client.info();
    const field = (name: string) => Number(new RegExp(`^${name}:(\\d+)`, 'm').exec(info)?.[1]);
    return {
      commands: field('total_commands_processed'),
      connections: field('connected_clients') - 1,
      memoryBytes: field('used_memory'),
    };
  } finally {
    client.disconnect();
  }
}
