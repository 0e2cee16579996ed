import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, expect, it } from '@jest/globals';
import { abortAfter } from './abort-after.js';

let collecting: NodeJS.Timeout | undefined;

afterEach(() => clearInterval(collecting));

const untilAborted = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener('abort', () => reject(signal.reason));
  });

it('gives what the work gives', async () => {
  expect(await abortAfter(1_000, undefined, async (signal) => signal.aborted)).toBe(false);
});

it('aborts when the time is over, whatever garbage is collected meanwhile', async () => {
  setFlagsFromString('--expose_gc');
  const collectGarbage = runInNewContext('gc') as () => void;
  const work = abortAfter(100, new AbortController().signal, untilAborted);
  collecting = setInterval(collectGarbage, 10);
  await expect(work).rejects.toMatchObject({ name: 'TimeoutError', message: 'nothing within 100 ms' });
});

it('aborts with the signal, also with one that was aborted before', async () => {
  const controller = new AbortController();
  const work = abortAfter(10_000, controller.signal, untilAborted);
  controller.abort(new Error('given up'));
  await expect(work).rejects.toThrow('given up');
  await expect(abortAfter(10_000, controller.signal, untilAborted)).rejects.toThrow('given up');
});
