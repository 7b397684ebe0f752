import { expect, it } from 'vitest';
import { toUrl } from '../../shared/providers/request-url.ts';

it('a query is sent as it was given, whatever its keys are called', () => {
  const query = {
    'a+b': '1',
    'c&d': '2',
    'e f': '3',
    'g#h': '4',
    after: 'x y',
    nested: { list: ['é', '='] },
  };
  const url = toUrl('https://api.example', { path: '/deals', query });
  expect(url).toBe(
    'https://api.example/deals?a%2Bb=1&c%26d=2&e%20f=3&g%23h=4&after=x%20y&nested[list][]=%C3%A9&nested[list][]=%3D',
  );
  expect([...new URL(url).searchParams]).toEqual([
    ['a+b', '1'],
    ['c&d', '2'],
    ['e f', '3'],
    ['g#h', '4'],
    ['after', 'x y'],
    ['nested[list][]', 'é'],
    ['nested[list][]', '='],
  ]);
});
