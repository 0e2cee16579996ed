import { describe, expect, it } from '@jest/globals';
import { AppError } from '@perennial/kernel';
import { readCommonConfig } from './common.js';
import { createConfigReader } from './reader.js';

function problemsOf(read: () => void): string {
  try {
    read();
  } catch (error) {
    if (error instanceof AppError && error.code === 'config_invalid') return error.message;
    throw error;
  }
  return '';
}

const VALID = {
  PERENNIAL_SECRET: 'kT9vQ2mZ7xB4nL8cR1wY6pD3sF5hJ0gA',
  KAFKA_BROKERS: 'a:9092, b:9093',
  REDIS_URL: 'redis://localhost:6379',
  POSTGRES_URL: 'postgres://u:p@localhost/db',
};

describe('config reader', () => {
  it('reads typed values and defaults', () => {
    const reader = createConfigReader({ A: '5', B: 'yes', C: 'x, y', D: '', E: '2.5' });
    expect(reader.integer('A', { min: 0, max: 9 })).toBe(5);
    expect(reader.boolean('B')).toBe(true);
    expect(reader.list('C')).toEqual(['x', 'y']);
    expect(reader.string('D', { default: 'none' })).toBe('none');
    expect(reader.number('E', { min: 0, max: 3 })).toBe(2.5);
    expect(reader.optionalString('F')).toBeUndefined();
    reader.finish();
  });

  it('reports all problems at once, with names', () => {
    const reader = createConfigReader({ A: '5x', B: 'maybe', C: 'blue', D: '12', E: '0x10' });
    reader.integer('A', { min: 0, max: 9 });
    reader.boolean('B');
    reader.oneOf('C', ['red', 'green']);
    reader.integer('D', { min: 0, max: 9 });
    reader.number('E', { min: 0, max: 99 });
    reader.string('MISSING');
    const message = problemsOf(() => reader.finish());
    for (const name of ['A', 'B', 'C', 'D', 'E', 'MISSING']) expect(message).toMatch(new RegExp(`- ${name} `));
  });

  it('never takes a malformed value for the default', () => {
    const reader = createConfigReader({ PORT: '80 80' });
    reader.integer('PORT', { min: 0, max: 65_535, default: 80 });
    expect(problemsOf(() => reader.finish())).toContain('PORT');
  });

  it.each([
    'changeme-changeme-changeme-changeme',
    'placeholder-0123456789',
    'an-example-secret-of-some-length-xx',
    'aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa',
    'short',
  ])('rejects the secret %s without printing it', (secret) => {
    const reader = createConfigReader({ S: secret });
    reader.secret('S', { lengthMin: 32 });
    const message = problemsOf(() => reader.finish());
    expect(message).toContain('- S ');
    expect(message).not.toContain(secret);
  });

  it('reads the common part, and names what is wrong with it', () => {
    const good = createConfigReader(VALID);
    const config = readCommonConfig(good, { portDefault: 7_000 });
    good.finish();
    expect(config).toMatchObject({
      namespace: 'live',
      http: { host: '127.0.0.1', port: 7_000 },
      kafka: { brokers: ['a:9092', 'b:9093'] },
    });

    const bad = createConfigReader({
      ...VALID,
      KAFKA_BROKERS: 'nope',
      REDIS_URL: 'http://x',
      PERENNIAL_NAMESPACE: 'Bad',
    });
    readCommonConfig(bad, { portDefault: 7_000 });
    const message = problemsOf(() => bad.finish());
    for (const name of ['KAFKA_BROKERS', 'REDIS_URL', 'PERENNIAL_NAMESPACE']) expect(message).toContain(name);
  });
});
