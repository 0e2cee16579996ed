import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { isPassing, toPostgresError } from './errors.js';
import { quoteIdentifier } from './identifiers.js';

const withCode = (code: string) => Object.assign(new Error('x'), { code });

describe('postgres', () => {
  it('quotes identifiers, and rejects what PostgreSQL would cut', () => {
    expect(quoteIdentifier('or_action')).toBe('"or_action"');
    expect(quoteIdentifier('a"b; drop')).toBe('"a""b; drop"');
    expect(() => quoteIdentifier('x'.repeat(64))).toThrow();
    expect(() => quoteIdentifier('')).toThrow();
  });

  it.each([
    [withCode('ECONNREFUSED'), true],
    [withCode('57P01'), true],
    [withCode('40001'), true],
    [new Error('Connection terminated unexpectedly'), true],
    [new Error('Query read timeout'), true],
    [new AggregateError([withCode('ECONNREFUSED')]), true],
    [withCode('22021'), false],
    [withCode('42P01'), false],
    [new Error('bug'), false],
  ])('tells what passes from what does not: %p', (error, passing) => {
    expect(isPassing(error)).toBe(passing);
    expect(toPostgresError('x', error) instanceof AppError).toBe(passing);
  });
});
