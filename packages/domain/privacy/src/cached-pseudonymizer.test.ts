import { describe, expect, it } from '@jest/globals';
import { createCachedPseudonymizer } from './cached-pseudonymizer.js';
import { createPseudonymizer, type Pseudonymizer } from './pseudonymizer.js';

const inner = createPseudonymizer('a secret for tests, not for anything else');

/** Counts the calls that reach it. */
function createCounting(): { counted: Pseudonymizer; calls: string[] } {
  const calls: string[] = [];
  const count = <A, R>(name: string, call: (argument: A) => R) => {
    return (argument: A): R => {
      calls.push(name);
      return call(argument);
    };
  };
  const counted: Pseudonymizer = {
    toProfileKey: count('toProfileKey', inner.toProfileKey),
    seal: count('seal', inner.seal),
    unseal: count('unseal', inner.unseal),
  };
  return { counted, calls };
}

describe('a cached pseudonymizer', () => {
  it('gives what the other one gives, and asks it once for each id', () => {
    const { counted, calls } = createCounting();
    const cached = createCachedPseudonymizer(counted, { entriesMax: 10 });
    for (const id of ['ada', 'bö', 'ada', 'bö']) {
      expect(cached.unseal(inner.seal(id))).toBe(id);
      expect(cached.seal(id)).toEqual(inner.seal(id));
      expect(cached.toProfileKey({ userId: id })).toBe(inner.toProfileKey({ userId: id }));
      expect(cached.toProfileKey({ anonymousId: id })).toBe(inner.toProfileKey({ anonymousId: id }));
    }
    expect(calls.sort()).toEqual(['seal', 'seal', ...Array(4).fill('toProfileKey'), 'unseal', 'unseal']);
  });

  it('keeps no failure: bytes of another secret fail each time', () => {
    const { counted, calls } = createCounting();
    const cached = createCachedPseudonymizer(counted, { entriesMax: 10 });
    const foreign = createPseudonymizer('another secret, for tests only too').seal('ada');
    for (let time = 0; time < 2; time++) expect(() => cached.unseal(foreign)).toThrow('another secret');
    expect(calls).toEqual(['unseal', 'unseal']);
  });

  it('forgets the oldest ids beyond its limit', () => {
    const { counted, calls } = createCounting();
    const cached = createCachedPseudonymizer(counted, { entriesMax: 2 });
    for (const id of ['a', 'b', 'c', 'a']) cached.unseal(inner.seal(id));
    expect(calls).toHaveLength(4);
  });
});
