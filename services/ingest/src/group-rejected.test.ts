import { describe, expect, it } from '@jest/globals';
import { type EventRejected, listRejectedEvents } from '@perennial/contracts';
import fc from 'fast-check';
import { REJECT_REASONS, Rejection } from './domain/rejection.js';
import { type RejectedItem, toRejectedRecords } from './group-rejected.js';
import { NOW_MS, RECORDS } from './testing/fakes.js';

const ORIGIN = { sourceId: 'src_1', receivedAtMs: NOW_MS };
/** A broker accepts batches of slightly over 1 MiB by default. */
const RECORD_BYTES_MAX = 1_000_000;
const WRITE_KEY = `pk_${'aB3-_'.repeat(9)}`;

function toData(items: readonly RejectedItem[]): EventRejected[] {
  const records = toRejectedRecords(items, ORIGIN, RECORDS);
  for (const { value } of records) expect(value?.length).toBeLessThan(RECORD_BYTES_MAX);
  return records.map(({ value }) => JSON.parse(String(value)) as EventRejected);
}

describe('the rejected events of a request', () => {
  it('share a record where they are equal, with a count', () => {
    const items = Array.from({ length: 2_500 }, (_, i) => ({
      rejection: new Rejection('missing_id', `no id in ${i}`, 'ids').on('userId', `u${i}`),
      json: { event: `e${i}` },
    }));
    const [record, ...others] = toData(items);
    expect(others).toEqual([]);
    expect(record).toMatchObject({ reason: 'missing_id', step: 'ids', message: 'no id in 0', count: 2_500 });
    expect(record?.more?.at(-1)).toEqual({
      message: 'no id in 2499',
      field: 'userId',
      value: '"u2499"',
      event: '{"event":"e2499"}',
    });
  });

  it('are alone in their record where there is one', () => {
    const [record] = toData([{ rejection: new Rejection('missing_id', 'x', 'ids'), json: 1 }]);
    expect(record).not.toHaveProperty('count');
    expect(record).not.toHaveProperty('more');
  });

  it('are each in exactly one record, with its own message, in order, and no record is too large', () => {
    const reason = fc.constantFrom(...REJECT_REASONS.slice(0, 4));
    const step = fc.constantFrom('inspect' as const, 'ids' as const);
    const event = fc.oneof(
      fc.record({ a: fc.string(), b: fc.nat() }),
      fc.integer({ min: 1, max: 16_000 }).map((n) => ({ quotes: '"'.repeat(n) })),
      fc.jsonValue({ maxDepth: 2 }),
    );
    const batch = fc.array(fc.tuple(reason, step, fc.string({ maxLength: 20 }), event), { maxLength: 60 });
    fc.assert(
      fc.property(batch, (drawn) => {
        const items = drawn.map(([why, at, message, json]) => ({ rejection: new Rejection(why, message, at), json }));
        const records = toData(items);
        const found = records.flatMap((data) => {
          expect(data.count ?? 1).toBe(listRejectedEvents(data).length);
          return listRejectedEvents(data).map((one) => ({ ...one, reason: data.reason, step: data.step }));
        });
        const expected = items.map(({ rejection: { reason, step, message }, json }) => {
          return { message, event: JSON.stringify(json), reason, step };
        });
        const byGroup = (list: typeof found) =>
          list.toSorted((a, b) => `${a.step} ${a.reason}`.localeCompare(`${b.step} ${b.reason}`));
        expect(byGroup(found)).toEqual(byGroup(expected));
      }),
      { seed: 15, numRuns: 100 },
    );
  });
});

describe('what is kept of a rejected event', () => {
  const rejection = new Rejection('invalid_name', `event must be a string, not "${WRITE_KEY}"`, 'name');

  it.each([
    ['in the field of Segment', { writeKey: WRITE_KEY, event: 1 }],
    ['in the field of PostHog', { api_key: 'of any form', event: 1 }],
    ['among the properties of PostHog', { event: 1, properties: { token: WRITE_KEY } }],
    ['in the URL of a page', { context: { page: { url: `https://a.test/?writeKey=${WRITE_KEY}&x=1` } } }],
    ['in a URL within a URL', { url: `https://a.test/?r=https%3A%2F%2Fb.test%2F%3FwriteKey%3D${WRITE_KEY}` }],
    ['after a line break', { properties: { note: `the key:\n${WRITE_KEY}`, other: `\u0001${WRITE_KEY}` } }],
    ['after a name', { properties: { note: `key_${WRITE_KEY}` } }],
    ['deep', { properties: { a: [{ b: { c: WRITE_KEY } }] } }],
    ['as a name', { properties: { [WRITE_KEY]: 1 } }],
    ['an operator token', { properties: { note: `pt_${'x'.repeat(43)}` } }],
  ])('has no write key %s', (_where, json) => {
    for (const items of [1, 3]) {
      const [record] = toRejectedRecords(Array(items).fill({ rejection, json }), ORIGIN, RECORDS);
      expect(String(record?.value)).not.toMatch(/(pk|pt)_[A-Za-z0-9_-]{20}|of any form/);
    }
  });

  it('is otherwise unchanged', () => {
    const json = { event: 'pk_short', properties: { writeKey: 'of the shop', token: 'a', note: 'pkg_1' } };
    const [data] = toData([{ rejection, json }]);
    expect(JSON.parse(data?.event ?? '')).toEqual(json);
  });
});
