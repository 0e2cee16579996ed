import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { fromBits, toBits } from './index.js';

describe('members as bits', () => {
  it('are those of the names again, for any list', () => {
    const list = fc.uniqueArray(fc.tuple(fc.string(), fc.boolean()), { selector: ([name]) => name, maxLength: 80 });
    fc.assert(
      fc.property(list, (entries) => {
        const names = entries.map(([name]) => name);
        const members = new Set(entries.flatMap(([name, isMember]) => (isMember ? [name] : [])));
        expect(fromBits(names, toBits(names, members))).toEqual(members);
      }),
    );
  });

  it('take no byte for nobody, and one for the first eight', () => {
    const names = Array.from({ length: 12 }, (_, number) => `s${number}`);
    expect(toBits(names, new Set())).toHaveLength(0);
    expect([...toBits(names, new Set(['s0', 's7']))]).toEqual([0b1000_0001]);
    expect([...toBits(names, new Set(['s8', 'gone']))]).toEqual([0, 1]);
  });
});
