import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import type { SegmentChange, SegmentState, Segments } from './index.js';
import { MINUTE_MS, type Moment, parse, step } from './segments-test-kit.js';

const LAST_MINUTE = 400;
const T0 = 1_700_000_000_000;

const minutes = fc.integer({ min: 1, max: 90 });
const rule = fc.oneof(
  fc.integer({ min: 1, max: 4 }).map((orders) => `when: features.orders_count_all >= ${orders}`),
  fc
    .tuple(fc.integer({ min: 2, max: 4 }), minutes)
    .map(
      ([n, stay]) =>
        `when: features.orders_count_all >= ${n}, leave: features.orders_count_all < ${n - 1}, minStay: ${stay}m`,
    ),
  fc
    .tuple(minutes, fc.option(minutes, { nil: undefined }))
    .map(
      ([within, stay]) =>
        `did: { type: track, name: A }, butNot: { type: track, name: B }, within: ${within}m` +
        (stay === undefined ? '' : `, maxStay: ${stay}m`),
    ),
);
const segments = fc.array(rule, { minLength: 1, maxLength: 5 }).map((rules) => {
  const lines = rules.map((text, index) => `  s${index}: { ${text} }`);
  return parse(`version: 1\nrecheck: 60m\nsegments:\n${lines.join('\n')}\n`);
});

const events = fc
  .array(
    fc.record({
      minute: fc.integer({ min: 0, max: LAST_MINUTE }),
      event: fc.constantFrom('A', 'B', 'C'),
      orders: fc.integer({ min: 0, max: 5 }),
    }),
    { maxLength: 12 },
  )
  .map((list) => list.sort((a, b) => a.minute - b.minute));

type Event = { readonly minute: number; readonly event: string; readonly orders: number };

/** Steps at the events, and in between each minute or only when the result before asked for it. */
function run(rules: Segments, list: readonly Event[], everyMinute: boolean): SegmentChange[] {
  const changes: SegmentChange[] = [];
  let state: SegmentState | undefined;
  let nextCheckAtMs = Number.POSITIVE_INFINITY;
  let orders = 0;
  const advance = (moment: Moment) => {
    const result = step(rules, state, moment);
    state = result.state;
    ({ nextCheckAtMs } = result);
    changes.push(...result.changes);
  };
  for (let minute = 0; minute <= LAST_MINUTE; minute++) {
    const nowMs = T0 + minute * MINUTE_MS;
    // A tick comes before the events of its time.
    if (state !== undefined && (everyMinute || nextCheckAtMs <= nowMs)) advance({ nowMs, orders });
    for (const event of list.filter((other) => other.minute === minute)) {
      ({ orders } = event);
      advance({ nowMs, orders, event: event.event });
    }
  }
  return changes;
}

describe('stepSegments, for any rules and events', () => {
  it('gives the same when it is called only at the times that it asks for', () => {
    fc.assert(
      fc.property(segments, events, (rules, list) => {
        expect(run(rules, list, false)).toEqual(run(rules, list, true));
      }),
      { numRuns: 300 },
    );
  });

  it('enters and leaves each segment in turn, and numbers without gaps', () => {
    fc.assert(
      fc.property(segments, events, (rules, list) => {
        const inside = new Set<string>();
        run(rules, list, false).forEach(({ segment, change, number }, index) => {
          expect(number).toBe(index + 1);
          expect(inside.has(segment)).toBe(change === 'left');
          if (change === 'left') inside.delete(segment);
          else inside.add(segment);
        });
      }),
      { numRuns: 200 },
    );
  });
});
