import { expect, it } from 'vitest';
import type { Warning } from '../../shared/domain/failure.ts';
import { createWarningCount } from '../../shared/use-cases/count-warnings.ts';

const tags: Warning = { code: 'unsupported_field', pointer: '/tags', message: 'there are no tags' };
const contact = (n: number): Warning => ({
  code: 'unsupported_field',
  pointer: `/contact/${n}`,
  message: `"${n}" is not written`,
});

it('says each kind once, with how many rows it is true of and which was the first', () => {
  const said = createWarningCount();
  said.add(1, []);
  said.add(2, [tags]);
  said.add(5, [contact(1), contact(2), tags]);
  said.add(9, [contact(1), { code: 'name_changed', message: 'the name was cut' }]);
  expect(said.list()).toEqual([
    { ...tags, rows: 2, first_row: 2 },
    { code: 'unsupported_field', pointer: '/contact', message: '"1" is not written', rows: 2, first_row: 5 },
    { code: 'name_changed', message: 'the name was cut', rows: 1, first_row: 9 },
  ]);
});

it('keeps fifty kinds, whatever a file says', () => {
  const said = createWarningCount();
  for (let row = 1; row <= 200; row++) said.add(row, [{ ...tags, pointer: `/custom${row}` }]);
  said.add(201, [{ ...tags, pointer: '/custom1' }]);
  expect(said.list()).toHaveLength(50);
  expect(said.list()[0]).toMatchObject({ pointer: '/custom1', rows: 2 });
});
