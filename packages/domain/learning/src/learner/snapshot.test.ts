import { describe, expect, it } from '@jest/globals';
import { createSnapshot, decodeSnapshot, encodeSnapshot } from './snapshot.js';
import { toLayout } from './spec.js';
import { LAYOUT, live, SPEC } from './world-test-kit.js';

const { snapshot } = live({ seed: 2, batches: 2, batchSize: 50 });
const bytes = encodeSnapshot(LAYOUT, snapshot);

describe('snapshots', () => {
  it('are read as they were written', () => {
    expect(decodeSnapshot(LAYOUT, bytes)).toEqual(snapshot);
    expect(decodeSnapshot(LAYOUT, Buffer.concat([Buffer.of(1, 2, 3), bytes]).subarray(3))).toEqual(snapshot);
    const first = createSnapshot(LAYOUT);
    expect(decodeSnapshot(LAYOUT, encodeSnapshot(LAYOUT, first))).toEqual(first);
  });

  it.each([
    ['no bytes', new Uint8Array(), 'format of no bytes'],
    ['another format', Uint8Array.from(bytes, (byte, at) => (at === 0 ? 2 : byte)), 'format 2'],
    ['a cut', bytes.slice(0, -1), 'another length'],
    ['a changed byte', Uint8Array.from(bytes, (byte, at) => (at === 200 ? byte ^ 1 : byte)), 'has changed'],
  ])('with %s are rejected', (_what, damaged, message) => {
    expect(() => decodeSnapshot(LAYOUT, damaged)).toThrow(message);
  });

  it('of another spec are rejected', () => {
    expect(() => decodeSnapshot(toLayout({ ...SPEC, floor: 0.1 }), bytes)).toThrow('of another spec');
  });
});

describe('toLayout', () => {
  it('names all problems of a spec at once', () => {
    const spec = {
      dimensions: [
        { name: 'offer', values: ['a', 'a', 'b/c'] },
        { name: 'offer', values: [] },
      ],
      contexts: [{ name: 'stage', values: Array.from({ length: 200 }, (_, at) => `${at}`) }],
      floor: 0,
      baseRate: 1,
      halfLifeMs: Number.NaN,
    };
    const thrown = (() => {
      try {
        return toLayout(spec);
      } catch (error) {
        return (error as Error).message.split('\n');
      }
    })();
    expect(thrown).toEqual([
      'offer has a value twice',
      'offer has the value "b/c": empty, or with a slash',
      'offer has no values',
      'a name stands twice',
      '0 options: there must be 2 to 256',
      '804 effects: there may be 512',
      'floor is 0: it must be in (0, 1]',
      'baseRate is 1: it must be in (0, 1)',
      'halfLifeMs is NaN: it must be above 0',
    ]);
  });
});
