import { describe, expect, it } from '@jest/globals';
import { toAnswer } from './commands/up.js';
import { toShown } from './secrets.js';

const endpoints = {
  kafkaBrokers: '127.0.0.1:19092',
  redisUrl: 'redis://:hush@127.0.0.1:16379',
  postgresUrl: 'postgres://perennial:hush@127.0.0.1:15432/perennial',
};

describe('endpoints in output', () => {
  it('have no password unless it was requested', () => {
    const stack = { running: true, parts: [], ...endpoints };
    expect(JSON.stringify(toShown(stack, {}))).not.toContain('hush');
    expect(toShown(stack, {})).toMatchObject({ running: true, redisUrl: 'redis://:***@127.0.0.1:16379' });
    expect(toShown(stack, { secrets: true })).toEqual(stack);
    expect(toShown({}, {})).toEqual({});
  });

  it('have none in the answer of up', () => {
    const urls = { ingest: 'i', 'feature-store': 'f', scoring: 's', action: 'a' };
    const platform = { namespace: 'live', partitions: 1, endpoints, urls, started: [] };
    expect(JSON.stringify(toAnswer(platform, {}))).not.toContain('hush');
    expect(toAnswer(platform, { secrets: true })).toMatchObject(endpoints);
  });
});
