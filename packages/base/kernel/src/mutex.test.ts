import { describe, expect, it } from '@jest/globals';
import { Mutex } from './mutex.js';

const pause = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('Mutex', () => {
  it('runs one at a time, in the order of asking, whatever fails', async () => {
    const mutex = new Mutex();
    const steps: string[] = [];
    const work = (name: string) => async () => {
      steps.push(`${name} begins`);
      await pause();
      steps.push(`${name} ends`);
      if (name === 'b') throw new Error('b failed');
      return name;
    };
    const results = await Promise.allSettled(['a', 'b', 'c'].map((name) => mutex.run(work(name))));
    expect(results.map(({ status }) => status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(steps).toEqual(['a begins', 'a ends', 'b begins', 'b ends', 'c begins', 'c ends']);
  });

  it('is idle when all has ended', async () => {
    const mutex = new Mutex();
    let ended = false;
    const failing = mutex.run(async () => {
      await pause();
      ended = true;
      throw new Error('failed');
    });
    await mutex.idle();
    expect(ended).toBe(true);
    await expect(failing).rejects.toThrow('failed');
  });
});
