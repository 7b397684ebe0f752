import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { readConfig, VARIABLES, type Variable } from '../../shared/config.ts';
import { REDIS_IMAGE } from '../support/redis-container.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const read = (path: string) => readFileSync(`${root}${path}`, 'utf8');
const compose = read('docker-compose.yml');
const dockerfile = read('Dockerfile');
const variables = Object.values<Variable>(VARIABLES);

/** `NAME: ${NAME:-default}` lines, as [name, default]. */
const passedOn = [...compose.matchAll(/^ {2}([A-Z_]+): \$\{\1:-(.*)\}$/gm)].map((m) => [m[1], m[2]]);

describe('docker-compose.yml', () => {
  it('names only variables the processes read', () => {
    const known = variables.map(({ name }) => name);
    const named = [...compose.matchAll(/^ {2,6}([A-Z][A-Z_]+): /gm)].map((m) => m[1]);
    expect(named.length).toBeGreaterThan(8);
    expect(known).toEqual(expect.arrayContaining(named));
  });

  it('passes variables on with the defaults they have anyway', () => {
    expect(passedOn.length).toBeGreaterThan(4);
    for (const [name, value] of passedOn) {
      expect([name, variables.find((variable) => variable.name === name)?.fallback ?? '']).toEqual([
        name,
        value,
      ]);
    }
  });

  it('passes every variable on that it does not set itself', () => {
    // The files of `npm start`, and the port within the container: `PORT` is the one outside.
    const own = ['DATA_DIR', 'PORT'];
    const unsaid = variables.map(({ name }) => name).filter((name) => !compose.includes(`  ${name}: `));
    expect(unsaid).toEqual(expect.arrayContaining(own));
    expect(unsaid).toHaveLength(own.length);
  });

  it('gives a configuration that can be read', () => {
    const environment = Object.fromEntries(passedOn);
    expect(() => readConfig({ ...environment, REDIS_URL: 'redis://redis:6379' }, ['redisUrl'])).not.toThrow();
  });

  it('does not start without secrets', () => {
    expect(compose).toMatch(/\$\{ADMIN_TOKEN:\?/);
    expect(compose).toMatch(/\$\{ENCRYPTION_KEYS:\?/);
  });

  it('runs the Redis that DURABILITY=strict asks for, in the version the tests use', () => {
    expect(compose).toContain(`image: ${REDIS_IMAGE}\n`);
    expect(compose).toMatch(
      /command: redis-server --appendonly yes --appendfsync always --maxmemory-policy noeviction/,
    );
  });

  it('gives processes longer to stop than they take', () => {
    const graceMs = Number(/stop_grace_period: (\d+)s/.exec(compose)?.[1]) * 1_000;
    expect(graceMs).toBeGreaterThan(Number(VARIABLES.shutdownMs.fallback));
  });

  it('starts processes that exist', () => {
    const mains = [...compose.matchAll(/command: \["node", "(.+?)"\]/g)].map((m) => m[1] ?? '');
    expect(mains).toEqual(['api/main.ts', 'worker/main.ts', 'sandbox/main.ts']);
    expect(mains.filter((main) => !existsSync(`${root}${main}`))).toEqual([]);
  });
});

describe('Dockerfile', () => {
  it('ends as an unprivileged user, on a Node of the pinned major, without development packages', () => {
    const pinned: string = JSON.parse(read('package.json')).dependencies.node;
    expect(dockerfile).toMatch(new RegExp(`^FROM node:${pinned.split('.')[0]}-slim$`, 'm'));
    expect(dockerfile).toMatch(/^USER node$/m);
    expect(dockerfile).toMatch(/npm ci --omit=dev/);
  });

  it('leaves secrets, data and tests out of the image', () => {
    const rules = read('.dockerignore')
      .split('\n')
      .filter((line) => line && !line.startsWith('#'));
    expect(rules[0]).toBe('*');
    expect(rules.slice(1).every((rule) => rule.startsWith('!'))).toBe(true);
    for (const kept of ['!test', '!.env', '!.data', '!local']) expect(rules).not.toContain(kept);
  });
});
