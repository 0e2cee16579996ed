import { describe, expect, it } from '@jest/globals';
import { BoundedQueue } from './bounded-queue.js';

describe('BoundedQueue', () => {
  it('gives what waits, in order, within both maxima; one item over the byte limit passes alone', async () => {
    const queue = new BoundedQueue<string>({ itemsMax: 10, bytesMax: 100 });
    for (const [item, bytes] of [
      ['a', 10],
      ['b', 500],
      ['c', 1],
      ['d', 1],
    ] as const)
      queue.tryPush(item, bytes);
    expect(await queue.take({ itemsMax: 10, bytesMax: 20 })).toEqual(['a']);
    expect(await queue.take({ itemsMax: 10, bytesMax: 20 })).toEqual(['b']);
    expect(await queue.take({ itemsMax: 1, bytesMax: 20 })).toEqual(['c']);
    expect([queue.length, queue.bytes]).toEqual([1, 1]);
  });

  it.each([
    ['items', { itemsMax: 2, bytesMax: 100 }],
    ['bytes', { itemsMax: 100, bytesMax: 2 }],
  ])('push waits while it is full of %s, and goes on when something is taken', async (_what, limits) => {
    const queue = new BoundedQueue<number>(limits);
    await queue.push(1, 1);
    await queue.push(2, 1);
    let pushed = false;
    const third = queue.push(3, 1).then(() => {
      pushed = true;
    });
    await new Promise((resolve) => setImmediate(resolve));
    expect(pushed).toBe(false);
    expect(await queue.take({ itemsMax: 1, bytesMax: 1 })).toEqual([1]);
    await third;
    expect(await queue.take({ itemsMax: 5, bytesMax: 5 })).toEqual([2, 3]);
  });

  it('closing wakes both sides: take gives nothing, push says no', async () => {
    const queue = new BoundedQueue<number>({ itemsMax: 1, bytesMax: 1 });
    const taking = queue.take({ itemsMax: 1, bytesMax: 1 });
    queue.close();
    expect(await taking).toEqual([]);
    expect(await queue.push(1, 1)).toBe(false);
  });
});
