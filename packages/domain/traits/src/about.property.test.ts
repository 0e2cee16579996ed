import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { type About, addSaid, countDropped, mergeAbout, NOTHING_KNOWN, type Said, TRAITS_MAX } from './about.js';
import { decodeAbout, encodeAbout } from './about-codec.js';
import type { TraitValue } from './trait.js';

const SEED = 16;

const value: fc.Arbitrary<TraitValue> = fc.oneof(
  fc.constantFrom('pro', 'free', '').map((text): TraitValue => ({ kind: 'text', text })),
  fc.constantFrom(0, -1.5, 1e300).map((number): TraitValue => ({ kind: 'number', number })),
  fc.boolean().map((flag): TraitValue => ({ kind: 'flag', flag })),
  fc.constantFrom(0, 7).map((timeMs): TraitValue => ({ kind: 'time', timeMs })),
  fc.constant<TraitValue>({ kind: 'removed' }),
);

// Few names and times, so that ties, returns to an earlier value and dropped ones are common; some draws have more names than fit.
const said: fc.Arbitrary<Said> = fc.record({
  event: fc.record({
    type: fc.constantFrom('track', 'identify'),
    name: fc.constantFrom('', 'Order Completed', 'Seen ✨'),
    atMs: fc.oneof(fc.integer({ min: 0, max: 30 }), fc.constant(1_700_000_000_000)),
  }),
  traits: fc.array(
    fc.record({ name: fc.constantFrom('a', 'b', ...Array.from({ length: 70 }, (_, n) => `n${n}`)), value }),
    {
      maxLength: 12,
    },
  ),
  accountId: fc.option(fc.constantFrom('acme', 'globex', 'initech', 'umbrella', 'hooli'), { nil: undefined }),
});

const history = fc.array(said, { maxLength: 40 });
const fold = (events: readonly Said[], from = NOTHING_KNOWN): About => events.reduce(addSaid, from);
const bytesOf = (about: About) => encodeAbout(about).toString('hex');

describe('what is known about a profile', () => {
  it('does not depend on the order of arrival', () => {
    fc.assert(
      fc.property(history, fc.integer(), (events, seed) => {
        const shuffled = events
          .map((event, index) => ({ event, key: Math.imul(index + 1, seed | 1) }))
          .sort((a, b) => a.key - b.key)
          .map(({ event }) => event);
        expect(bytesOf(fold(shuffled))).toBe(bytesOf(fold(events)));
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it('is the same when its parts are merged, in any order and grouping', () => {
    fc.assert(
      fc.property(history, history, history, (x, y, z) => {
        const [a, b, c] = [fold(x), fold(y), fold(z)];
        const all = bytesOf(fold([...x, ...y, ...z]));
        expect(bytesOf(mergeAbout(mergeAbout(a, b), c))).toBe(all);
        expect(bytesOf(mergeAbout(a, mergeAbout(c, b)))).toBe(all);
      }),
      { numRuns: 500, seed: SEED },
    );
  });

  it('is what a naive reading of all events says', () => {
    fc.assert(
      fc.property(history, (events) => {
        const about = fold(events);
        const names = [...new Set(events.flatMap(({ traits }) => traits.map(({ name }) => name)))].sort();
        expect(about.traits.map(({ name }) => name)).toEqual(names.slice(0, TRAITS_MAX));
        for (const { name, values } of about.traits) {
          const latest = Math.max(
            ...events.filter((e) => e.traits.some((t) => t.name === name)).map((e) => e.event.atMs),
          );
          expect(values[0]?.atMs).toBe(latest);
        }
        const times = events.map(({ event }) => event.atMs).sort((a, b) => b - a);
        expect(about.events.map(({ atMs }) => atMs)).toEqual(times.slice(0, 20));
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(history, (events) => {
        const about = fold(events);
        expect(decodeAbout(encodeAbout(about))).toEqual(about);
      }),
      { numRuns: 300, seed: SEED },
    );
  });

  it('has bounded bytes, and says what it drops', () => {
    const many = Array.from({ length: 2_000 }, (_, n) => ({
      event: { type: 'identify', name: '', atMs: n },
      traits: [
        { name: `t${n % 200}`.padEnd(64, 'x'), value: { kind: 'text', text: `${n}`.padEnd(100, 'y') } as const },
      ],
      accountId: `account ${n}`,
    }));
    const about = fold(many);
    expect(encodeAbout(about).length).toBeLessThan(30_000);
    expect(countDropped(about, [{ name: 'z', value: { kind: 'removed' } }])).toBe(1);
    expect(countDropped(about, [])).toBe(0);
    expect(countDropped(NOTHING_KNOWN, [{ name: 'z', value: { kind: 'removed' } }])).toBe(0);
  });

  it('is not read from bytes that are cut, longer, or of another format', () => {
    const bytes = encodeAbout(fold([{ event: { type: 'track', name: 'x', atMs: 1 }, traits: [], accountId: 'acme' }]));
    for (let length = 0; length < bytes.length; length++) {
      expect(() => decodeAbout(bytes.subarray(0, length))).toThrow();
    }
    expect(() => decodeAbout(Buffer.concat([bytes, Buffer.of(0)]))).toThrow('too many');
    expect(() => decodeAbout(Buffer.of(9))).toThrow('format 9');
  });
});
