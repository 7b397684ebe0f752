import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { AppError } from '../../shared/app-error.ts';
import { parseJsonBody } from '../../shared/contract/parse-json-body.ts';

const failureOf = (text: string) => {
  try {
    parseJsonBody(text);
  } catch (err) {
    if (err instanceof AppError) return { code: err.code, failures: err.facts.failures };
    throw err;
  }
  return undefined;
};

describe('parseJsonBody', () => {
  it('gives what JSON.parse gives', () => {
    fc.assert(
      fc.property(fc.jsonValue({ maxDepth: 5 }), (value) => {
        const text = JSON.stringify(value);
        if (failureOf(text)) return; // a generated key may be refused
        expect(parseJsonBody(text)).toEqual(JSON.parse(text));
      }),
    );
  });

  it.each([
    ['{"amount":123456789012345}', true],
    ['{"amount":12345678901234.5}', true],
    ['{"amount":0.000000000000000000123}', true],
    ['{"amount":100000000000000.00000000}', true],
    ['{"amount":1.5e3,"x":"1234567890123456789"}', true],
    ['{"name":"1234567890.1234567890"}', true],
    ['{"amount":1234567890123456}', false],
    ['{"amount":-1234567890.1234567}', false],
    ['{"body":{"amount":1234567890.1234567}}', false],
    ['{"remote_data":{"amount":1234567890123456}}', true],
    ['{"remote_data":{"id":9007199254740993}}', false],
    ['{"remote_data":{"a":[{"id":12345678901234567890}]}}', false],
    ['{"custom_fields":{"f":0.1234567890123456}}', true],
  ])('%s is taken: %s', (text, taken) => {
    expect(failureOf(text)?.code).toBe(taken ? undefined : 'invalid_body');
  });

  it('says where, as a JSON pointer', () => {
    expect(failureOf('{"remote_data":{"a/b":[{"id":12345678901234567890}]}}')?.failures?.[0]?.pointer).toBe(
      '/remote_data/a~1b/0/id',
    );
  });
});
