import { describe, expect, it } from '@jest/globals';
import { untilAborted } from './until-aborted.js';

const never = new Promise<never>(() => undefined);

describe('untilAborted', () => {
  it('gives what the work gives, or throws what it throws', async () => {
    const { signal } = new AbortController();
    await expect(untilAborted(signal, Promise.resolve(7))).resolves.toBe(7);
    await expect(untilAborted(signal, Promise.reject(new Error('broken')))).rejects.toThrow('broken');
    await expect(untilAborted(undefined, Promise.resolve(7))).resolves.toBe(7);
  });

  it('throws the reason when the signal aborts, before or during the work, and swallows what comes after', async () => {
    const giveUp = new AbortController();
    let fail: (error: Error) => void = () => undefined;
    const work = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const waiting = untilAborted(giveUp.signal, work);
    giveUp.abort(new Error('interrupted'));
    await expect(waiting).rejects.toThrow('interrupted');
    fail(new Error('the broker is gone'));
    await expect(untilAborted(giveUp.signal, never)).rejects.toThrow('interrupted');
  });
});
