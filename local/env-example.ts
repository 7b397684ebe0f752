import { VARIABLES, type Variable } from '../shared/config.ts';

/** Lines of at most 110 characters. */
function wrap(text: string): string[] {
  const lines: string[] = [];
  let line = '#';
  for (const word of text.split(' ')) {
    if (line.length + word.length + 1 > 110) {
      lines.push(line);
      line = '#';
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}

/** `.env.example`, made from the table the processes read their configuration by. */
export function renderEnvExample(): string {
  const blocks = Object.values<Variable>(VARIABLES).map(({ name, fallback, meaning }) =>
    [...wrap(meaning), fallback === undefined ? `#${name}=` : `#${name}=${fallback}`].join('\n'),
  );
  const head = [
    ...wrap(
      'Every variable Dealwright reads, with its default where it has one. A file like this is read by docker compose as .env; the processes themselves read the environment only.',
    ),
    '# Generated from shared/config.ts by: npm run check -- --write',
  ].join('\n');
  return `${[head, ...blocks].join('\n\n')}\n`;
}
