import { expect, it } from '@jest/globals';
import { withLimit } from './with-limit.js';

const limit = { ms: 20, message: 'no answer in time' };

it('gives the answer, or its failure, when it comes in time', async () => {
  expect(await withLimit(Promise.resolve('answer'), limit)).toBe('answer');
  await expect(withLimit(Promise.reject(new Error('refused')), limit)).rejects.toThrow('refused');
});

it('does not wait for longer, nor for a failure that comes later', async () => {
  let fail: (error: Error) => void = () => undefined;
  const late = new Promise<never>((_resolve, reject) => {
    fail = reject;
  });
  await expect(withLimit(late, limit)).rejects.toMatchObject({ code: 'dependency_unavailable', retriable: true });
  fail(new Error('too late'));
});
