import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

export type SourceFinding = { file: string; line: number; rule: string; text: string };

type SourceRule = {
  name: string;
  /** Files the rule is about, by path from the root. */
  appliesTo: (file: string) => boolean;
  /** Expressions it forbids. */
  forbids: (node: ts.Node) => boolean;
};

const ENVIRONMENT_READERS = [
  /^shared\/config\.ts$/,
  /^(local|test|bench|chaos|cli)\//,
  // It is a program of its own that may not import ours.
  /^sandbox\/main\.ts$/,
];

const PURE = [
  /^shared\/domain\//,
  /^shared\/providers\/[^/]+\/(mapping|failures|descriptor)\.ts$/,
  /^worker\/([^/]+\/)?decide\.ts$/,
];

const CLOCK_AND_CHANCE = new Set(['Date.now', 'Math.random', 'performance.now', 'crypto.randomUUID']);

/** What imports cannot show, so that dependency-cruiser cannot see it. */
const RULES: SourceRule[] = [
  {
    name: 'environment-only-in-config',
    appliesTo: (file) => !ENVIRONMENT_READERS.some((pattern) => pattern.test(file)),
    forbids: (node) => ts.isPropertyAccessExpression(node) && node.getText() === 'process.env',
  },
  {
    name: 'pure-takes-time-and-chance-as-arguments',
    appliesTo: (file) => PURE.some((pattern) => pattern.test(file)),
    forbids: (node) =>
      (ts.isPropertyAccessExpression(node) && CLOCK_AND_CHANCE.has(node.getText())) ||
      (ts.isNewExpression(node) &&
        node.expression.getText() === 'Date' &&
        (node.arguments?.length ?? 0) === 0),
  },
];

/** Reads the syntax, so that comments and texts do not count. */
function findInFile(root: string, file: string): SourceFinding[] {
  const rules = RULES.filter((rule) => rule.appliesTo(file));
  if (rules.length === 0) return [];
  const text = readFileSync(join(root, file), 'utf8');
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.ES2024, true);
  const findings: SourceFinding[] = [];
  const visit = (node: ts.Node): void => {
    for (const rule of rules) {
      if (!rule.forbids(node)) continue;
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      findings.push({ file, line: line + 1, rule: rule.name, text: node.getText() });
    }
    node.forEachChild(visit);
  };
  visit(source);
  return findings;
}

/** Every breach of the rules under `root`. */
export function findSourceBreaches(root: string): SourceFinding[] {
  return globSync('{api,worker,shared,sandbox,cli,local,bench,chaos,test}/**/*.ts', { cwd: root })
    .sort()
    .flatMap((file) => findInFile(root, file));
}
