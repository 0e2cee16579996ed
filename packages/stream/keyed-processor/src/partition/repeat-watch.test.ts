import { describe, expect, it } from '@jest/globals';
import type { BatchEntry } from '../batch/decode-batch.js';
import { describeRepeating, RepeatWatch } from './repeat-watch.js';

const LIMITS = { repeatsReportedAfterMs: 1_000, repeatsReportedMin: 3 };

function createEntry(result: 'repeated' | 'decoded', source: string): BatchEntry<never> {
  return {
    record: {},
    position: { source, offset: 1, ordinal: 0 },
    result,
    decoded: {},
  } as unknown as BatchEntry<never>;
}

describe('a source that only repeats', () => {
  const setUp = () => {
    const at = { ms: 0 };
    const watch = new RepeatWatch(LIMITS, { now: () => at.ms, steadyMs: () => at.ms });
    const take = (ms: number, result: 'repeated' | 'decoded', source = 'up/0') => {
      at.ms = ms;
      watch.note([createEntry(result, source)]);
    };
    return { at, watch, take };
  };

  it('is reported after enough records and enough time, and no longer once one counts', () => {
    const { at, watch, take } = setUp();
    for (const ms of [0, 500, 900]) take(ms, 'repeated');
    expect(watch.find()).toEqual([]);
    at.ms = 1_000;
    expect(watch.find()).toEqual([{ source: 'up/0', records: 3, sinceMs: 0 }]);
    expect(watch.find().map((source) => describeRepeating(4, source))).toEqual([
      'partition 4 drops every record of up/0 as a repeat since 1970-01-01T00:00:00.000Z: 3 so far',
    ]);
    take(1_100, 'decoded');
    expect(watch.find()).toEqual([]);
  });

  it('is not one that repeats a little after a restart, nor another one', () => {
    const { at, watch, take } = setUp();
    for (const ms of [0, 1, 2, 3]) take(ms, 'repeated');
    take(4, 'decoded');
    take(5, 'repeated');
    take(6, 'decoded', 'other/0');
    at.ms = 5_000;
    expect(watch.find()).toEqual([]);
  });
});
