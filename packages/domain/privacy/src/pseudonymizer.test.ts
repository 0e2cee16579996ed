import { describe, expect, it } from '@jest/globals';
import { isAppError } from '@perennial/kernel';
import { createCachedPseudonymizer } from './cached-pseudonymizer.js';
import { createPseudonymizer, type Pseudonymizer } from './pseudonymizer.js';

const SECRET = 'a secret of more than thirty-two characters';
const IDS = ['u1', 'a', '', 'ünï ✨ 漢字', 'x'.repeat(256)];

const variants: Array<[string, (secret: string) => Pseudonymizer]> = [
  ['plain', createPseudonymizer],
  ['cached', (secret) => createCachedPseudonymizer(createPseudonymizer(secret), { entriesMax: 2 })],
];

describe.each(variants)('%s pseudonymizer', (_name, create) => {
  it('gives a profile the same key on every instance, of 22 url-safe characters', () => {
    for (const userId of IDS) {
      const key = create(SECRET).toProfileKey({ userId });
      expect(key).toMatch(/^[\w-]{22}$/);
      expect(create(SECRET).toProfileKey({ userId })).toBe(key);
    }
  });

  it('never changes the keys it gave: they are in the log', () => {
    expect(create(SECRET).toProfileKey({ userId: 'u1' })).toBe('PWdSE1PPyYae9v3azf1nqv');
    expect(create(SECRET).toProfileKey({ anonymousId: 'u1' })).toBe('TlIK8723IhriYX_yO5N8UY');
  });

  it('tells users, anonymous ids and secrets apart', () => {
    const one = create(SECRET);
    const keys = [
      one.toProfileKey({ userId: 'a' }),
      one.toProfileKey({ anonymousId: 'a' }),
      one.toProfileKey({ userId: 'b' }),
      one.toProfileKey({ accountId: 'a' }),
      create(`${SECRET}!`).toProfileKey({ userId: 'a' }),
    ];
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('seals deterministically and unseals again', () => {
    for (const id of IDS) {
      const sealed = create(SECRET).seal(id);
      expect(sealed.equals(create(SECRET).seal(id))).toBe(true);
      expect(create(SECRET).unseal(sealed)).toBe(id);
    }
    expect(create(SECRET).seal('user-1234').includes('user-1234')).toBe(false);
  });

  it('rejects every changed byte, a cut and another secret', () => {
    const pseudonymizer = create(SECRET);
    const sealed = pseudonymizer.seal('user-1');
    for (let i = 0; i < sealed.length; i++) {
      const changed = Buffer.from(sealed);
      changed[i] = (changed[i] as number) ^ 1;
      expectRejected(() => pseudonymizer.unseal(changed));
    }
    for (let length = 0; length < sealed.length; length++) {
      expectRejected(() => pseudonymizer.unseal(sealed.subarray(0, length)));
    }
    expectRejected(() => create(`${SECRET}!`).unseal(sealed));
  });
});

function expectRejected(attempt: () => unknown): void {
  let error: unknown;
  try {
    attempt();
  } catch (thrown) {
    error = thrown;
  }
  expect(isAppError(error, 'contract_violation')).toBe(true);
}
