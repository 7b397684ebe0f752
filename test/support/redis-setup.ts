import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestProject } from 'vitest/node';
import { startEmbeddedRedis } from '../../local/embedded-redis.ts';
import { findEngine, REDIS_IMAGE, startContainer } from './redis-container.ts';

declare module 'vitest' {
  interface ProvidedContext {
    redisUrl: string;
    redisLeg: 'url' | 'container' | 'local';
  }
}

type Leg = { name: 'url' | 'container' | 'local'; url: string; shown: string; close: () => Promise<unknown> };

/**
 * Once per run: REDIS_URL if it is set, else a container when a Docker engine can give one, else a local redis-server.
 * All three run with AOF, appendfsync always and noeviction. TEST_REDIS_LEG=url|container|local insists on one and
 * fails if it cannot be had.
 */
export default async function setup(project: TestProject) {
  if (Number(process.versions.node.split('.')[0]) < 24) {
    throw new Error(`The tests need Node 24 but run on ${process.version}. Run them with: npm test -- FILE`);
  }
  const wanted = process.env.TEST_REDIS_LEG;
  if (wanted && !['url', 'container', 'local'].includes(wanted)) {
    throw new Error(`TEST_REDIS_LEG must be url, container or local, not ${wanted}.`);
  }
  const leg = await chooseLeg(wanted);
  console.log(`redis leg: ${leg.name} (${leg.shown})`);
  project.provide('redisUrl', leg.url);
  project.provide('redisLeg', leg.name);
  return leg.close;
}

async function chooseLeg(wanted: string | undefined): Promise<Leg> {
  const url = process.env.REDIS_URL;
  if (wanted === 'url' && !url) throw new Error('TEST_REDIS_LEG=url needs REDIS_URL.');
  if (url && (!wanted || wanted === 'url')) {
    return { name: 'url', url, shown: url.replace(/\/\/[^@/]*@/, '//***@'), close: async () => {} };
  }
  if (wanted !== 'local') {
    const container = await containerLeg();
    if (typeof container !== 'string') return container;
    if (wanted === 'container') throw new Error(`No container leg: ${container}`);
    console.log(`no container leg: ${container}`);
  }
  const dir = await mkdtemp(join(tmpdir(), 'dealwright-test-redis-'));
  const redis = await startEmbeddedRedis(dir, process.env.PATH ?? '');
  const close = async () => {
    await redis.close();
    await rm(dir, { recursive: true, force: true });
  };
  return { name: 'local', url: redis.url, shown: redis.program, close };
}

/** The reason in words where there is none. */
async function containerLeg(): Promise<Leg | string> {
  const engine = await findEngine();
  if (!engine.ok) return engine.reason;
  try {
    const { url, close } = await startContainer();
    return { name: 'container', url, shown: `${REDIS_IMAGE}, ${engine.shown}`, close };
  } catch (err) {
    return `${engine.shown} could not start it: ${err instanceof Error ? err.message : err}`;
  }
}
