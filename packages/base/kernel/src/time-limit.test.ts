import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterEach, describe, expect, it } from '@jest/globals';
import type { Clock } from './clock.js';
import { systemClock } from './clock.js';
import { endsWithin, withLimit } from './time-limit.js';

const LIMIT = { ms: 10_000, message: 'nothing came' };
const never = new Promise<never>(() => undefined);
/** Work that ends when its signal aborts. */
const untilEnded = (signal: AbortSignal) =>
  new Promise<never>((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason)));

/** A clock that the test advances. */
function createManualClock() {
  let pass: () => void = () => undefined;
  const clock: Clock = {
    now: () => 0,
    steadyMs: () => 0,
    wait: (_ms, signal) =>
      new Promise((resolve) => {
        if (signal?.aborted) return resolve();
        pass = resolve;
        signal?.addEventListener('abort', () => resolve(), { once: true });
      }),
  };
  return { clock, pass: () => pass() };
}

describe('withLimit', () => {
  let collecting: NodeJS.Timeout | undefined;
  afterEach(() => clearInterval(collecting));

  it('gives what the work comes to, within the limit', async () => {
    expect(await withLimit(LIMIT, async (signal) => signal.aborted)).toBe(false);
    await expect(withLimit(LIMIT, async () => Promise.reject(new Error('broken')))).rejects.toThrow('broken');
  });

  it('throws when the time is over, and lets the work know', async () => {
    const { clock, pass } = createManualClock();
    let heard: unknown;
    const running = withLimit({ ...LIMIT, clock, code: 'dependency_unavailable' }, (signal) => {
      signal.addEventListener('abort', () => {
        heard = signal.reason;
      });
      return never;
    });
    pass();
    await expect(running).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
      message: 'nothing came',
    });
    expect(heard).toMatchObject({ message: 'nothing came' });
  });

  it('takes no notice of a failure that comes later', async () => {
    const { clock, pass } = createManualClock();
    let fail: (error: Error) => void = () => undefined;
    const late = new Promise<never>((_resolve, reject) => {
      fail = reject;
    });
    const running = withLimit({ ...LIMIT, clock }, () => late);
    pass();
    await expect(running).rejects.toMatchObject({ code: 'timeout' });
    fail(new Error('late'));
    await new Promise((resolve) => setImmediate(resolve));
  });

  it('throws the reason of its signal, also of one that has aborted before', async () => {
    const controller = new AbortController();
    const running = withLimit({ ...LIMIT, signal: controller.signal }, untilEnded);
    controller.abort(new Error('given up'));
    await expect(running).rejects.toThrow('given up');
    await expect(withLimit({ ...LIMIT, signal: controller.signal }, untilEnded)).rejects.toThrow('given up');
  });

  it('comes in time under garbage collection, joined to another signal', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage = runInNewContext('gc') as () => void;
    const signal = new AbortController().signal;
    const running = withLimit({ ms: 100, message: 'over', signal }, untilEnded);
    collecting = setInterval(collectGarbage, 10);
    await expect(running).rejects.toMatchObject({ code: 'timeout' });
  });
});

describe('endsWithin', () => {
  it('says whether the work has ended', async () => {
    const { clock, pass } = createManualClock();
    expect(await endsWithin({ ms: 1, clock: systemClock }, Promise.resolve())).toBe(true);
    const waiting = endsWithin({ ms: 1, clock }, never);
    pass();
    expect(await waiting).toBe(false);
  });

  it('does not wait on when its signal aborts', async () => {
    const { clock } = createManualClock();
    const controller = new AbortController();
    const waiting = endsWithin({ ms: 1, clock, signal: controller.signal }, never);
    controller.abort();
    expect(await waiting).toBe(false);
    expect(await endsWithin({ ms: 1, clock, signal: controller.signal }, never)).toBe(false);
  });

  it('throws what the work throws', async () => {
    await expect(endsWithin({ ms: 1000, clock: systemClock }, Promise.reject(new Error('broken')))).rejects.toThrow(
      'broken',
    );
  });
});
