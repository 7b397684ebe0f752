import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { VARIABLES, type Variable } from '../../shared/config.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
const pages = globSync(['*.md', 'docs/**/*.md'], { cwd: root }).sort();
const read = (page: string) => readFileSync(join(root, page), 'utf8');
const scripts: Record<string, string> = JSON.parse(read('package.json')).scripts;
const variables = Object.values<Variable>(VARIABLES).map(({ name }) => name);

describe.each(pages)('%s', (page) => {
  it('links to files that exist', () => {
    const links = [...read(page).matchAll(/\]\(([^)#\s]+)(?:#[^)]*)?\)/g)].map((m) => m[1] ?? '');
    const local = links.filter((link) => !/^(https?|mailto):/.test(link));
    expect(local.filter((link) => !existsSync(join(root, dirname(page), link)))).toEqual([]);
  });

  it('names npm scripts that exist', () => {
    const named = [...read(page).matchAll(/npm run ([a-z:]+)/g)].map((m) => m[1] ?? '');
    expect(named.filter((name) => !(name in scripts))).toEqual([]);
  });
});

it('operations.md and README.md set variables that exist', () => {
  const named = ['README.md', 'docs/operations.md'].flatMap((page) =>
    [...read(page).matchAll(/`([A-Z]+(?:_[A-Z]+)+)(?:=[^`]*)?`/g)].map((m) => m[1] ?? ''),
  );
  const ours = named.filter((name) => name !== 'TRANSITIONS');
  expect(ours.length).toBeGreaterThan(8);
  expect(ours.filter((name) => !variables.includes(name))).toEqual([]);
});
