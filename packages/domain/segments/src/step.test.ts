import { describe, expect, it } from '@jest/globals';
import type { SegmentState } from './index.js';
import { DAY_MS, MINUTE_MS, type Moment, parse, step, toMarks } from './segments-test-kit.js';

const T0 = 1_700_000_000_000;

const SEGMENTS = parse(`version: 1
segments:
  buyers: { when: features.orders_count_all >= 1, description: Has ordered }
  big: { when: features.spend_365d >= 500, leave: features.spend_365d < 400, minStay: 1d }
  basket:
    did: { type: track, name: Product Added }
    butNot: { type: track, name: Order Completed }
    within: 1h
    maxStay: 3d
`);

/** The marks of each moment in turn. */
function run(moments: readonly Moment[], segments = SEGMENTS): string[][] {
  let state: SegmentState | undefined;
  return moments.map((moment) => {
    const result = step(segments, state, moment);
    state = result.state;
    return toMarks(result);
  });
}

describe('stepSegments', () => {
  it('enters and leaves by a condition, with hysteresis and a minimum stay', () => {
    const at = (days: number, spend: number) => ({ nowMs: T0 + days * DAY_MS, spend });
    expect(run([at(0, 500), at(2, 450), at(3, 390), at(4, 450), at(5, 500)])).toEqual([
      ['big+'],
      [],
      ['big-'],
      [],
      ['big+'],
    ]);
    expect(run([at(0, 500), at(0.5, 100), at(1, 100)])).toEqual([['big+'], [], ['big-']]);
  });

  it('asks for the time at which a minimum stay ends', () => {
    const entered = step(SEGMENTS, undefined, { nowMs: T0, spend: 500 });
    const held = step(SEGMENTS, entered.state, { nowMs: T0 + MINUTE_MS, spend: 0 });
    expect(held.changes).toEqual([]);
    expect(held.nextCheckAtMs).toBe(T0 + DAY_MS);
  });

  it('enters who did A and not B in time, counted from the first A', () => {
    const at = (minutes: number, event?: string) => ({ nowMs: T0 + minutes * MINUTE_MS, event });
    const begun = step(SEGMENTS, undefined, at(0, 'Product Added'));
    expect(begun.nextCheckAtMs).toBe(T0 + 60 * MINUTE_MS);
    expect(run([at(0, 'Product Added'), at(50, 'Product Added'), at(59), at(60)])).toEqual([[], [], [], ['basket+']]);
    expect(run([at(0, 'Product Added'), at(30, 'Order Completed'), at(60), at(90)])).toEqual([[], [], [], []]);
  });

  it('takes a member out at once by B, and at the end of its stay', () => {
    const at = (minutes: number, event?: string) => ({ nowMs: T0 + minutes * MINUTE_MS, event });
    const begin = [at(0, 'Product Added'), at(60)];
    expect(run([...begin, at(61, 'Order Completed')]).at(-1)).toEqual(['basket-']);
    const stayed = 60 + 3 * 24 * 60;
    expect(run([...begin, at(stayed - 1), at(stayed), at(stayed + 1)]).slice(2)).toEqual([[], ['basket-'], []]);
  });

  it('does not enter who did B before the time of A was looked at', () => {
    const at = (minutes: number, event?: string) => ({ nowMs: T0 + minutes * MINUTE_MS, event });
    expect(run([at(0, 'Product Added'), at(90, 'Order Completed'), at(91)])).toEqual([[], [], []]);
  });

  it('numbers the changes of all segments without gaps, and says why', () => {
    const first = step(SEGMENTS, undefined, { nowMs: T0, orders: 1, spend: 600, event: 'Order Completed' });
    expect(first.changes).toEqual([
      {
        number: 1,
        segment: 'buyers',
        change: 'entered',
        cause: 'event',
        atMs: T0,
        reasons: ['Has ordered', 'features.orders_count_all = 1'],
        evidence: { 'features.orders_count_all': 1 },
      },
      expect.objectContaining({ number: 2, segment: 'big', reasons: ['big', 'features.spend_365d = 600'] }),
    ]);
    const later = step(SEGMENTS, first.state, { nowMs: T0 + 2 * DAY_MS, orders: 1, spend: 0 });
    expect(later.changes).toMatchObject([{ number: 3, segment: 'big', change: 'left', cause: 'timer' }]);
  });

  it('leaves the segments that another file no longer has', () => {
    const before = step(SEGMENTS, undefined, { nowMs: T0, orders: 1 });
    const other = parse('version: 1\nsegments: { all: { when: "true" } }\n');
    const after = step(other, before.state, { nowMs: T0 + 1 });
    expect(after.changes).toMatchObject([
      { segment: 'all', change: 'entered', number: 2 },
      { segment: 'buyers', change: 'left', cause: 'definition', number: 3 },
    ]);
    expect(after.state.members).toEqual([{ name: 'all', sinceMs: T0 + 1 }]);
  });

  it('asks to be evaluated again within the interval of the file', () => {
    const first = step(SEGMENTS, undefined, { nowMs: T0 });
    expect(first.nextCheckAtMs).toBe(T0 + 7 * DAY_MS);
    expect(step(SEGMENTS, first.state, { nowMs: T0 + DAY_MS }).nextCheckAtMs).toBe(T0 + 8 * DAY_MS);
  });

  it('enters and leaves tags as they are given, without a condition', () => {
    const tags = parse(
      'version: 1\nsegments: {}\ntags: { vip: { kind: manual, owner: crm }, old: { kind: imported } }\n',
    );
    const at = (minutes: number, given: string[]) => ({ nowMs: T0 + minutes * MINUTE_MS, given });
    expect(run([at(0, []), at(1, ['vip', 'unknown']), at(2, ['old', 'vip']), at(3, ['old'])], tags)).toEqual([
      [],
      ['vip+'],
      ['old+'],
      ['vip-'],
    ]);
    const { changes } = step(tags, undefined, at(0, ['vip', 'old']));
    expect(changes.map(({ reasons }) => reasons)).toEqual([
      ['vip', 'by hand'],
      ['old', 'by a list that was imported'],
    ]);
  });

  it('lets conditions read other segments as they are after the step, whatever their order in the file', () => {
    const segments = parse(`version: 1
segments:
  both: { when: segments.big == true && tags.vip == true }
  big: { when: features.spend_365d >= 500 }
  rest: { when: tags.both != true }
tags: { vip: { kind: manual } }
`);
    const at = (minutes: number, spend: number, given: string[] = []) => ({
      nowMs: T0 + minutes * MINUTE_MS,
      spend,
      given,
    });
    expect(run([at(0, 0), at(1, 500, ['vip']), at(2, 0, ['vip'])], segments)).toEqual([
      ['rest+'],
      ['both+', 'big+', 'rest-', 'vip+'],
      ['both-', 'big-', 'rest+'],
    ]);
    const { changes, state } = step(segments, undefined, at(0, 500, ['vip']));
    expect(changes[0]?.evidence).toEqual({ 'segments.big': true, 'tags.vip': true });
    expect(state.members.map(({ name }) => name)).toEqual(['both', 'big', 'vip']);
  });
});
