import { describe, expect, it } from '@jest/globals';
import { EXTERNAL_ID_CHARS_MAX, parseUserId, unsealUserId } from './external-id.js';
import { createPseudonymizer } from './pseudonymizer.js';

describe("a user's id in a request", () => {
  it.each(['u1', ' ü ✨', 'x'.repeat(EXTERNAL_ID_CHARS_MAX)])('is taken as it is: %.20j', (id) => {
    expect(parseUserId(id)).toBe(id);
  });

  it('is a text where it was a whole number', () => expect(parseUserId(42)).toBe('42'));

  it.each([
    [undefined, 'id is missing'],
    [null, 'id must be a string'],
    [1.5, 'id must be a string'],
    [['a'], 'id must be a string'],
    [' ', 'id is empty'],
    ['x'.repeat(EXTERNAL_ID_CHARS_MAX + 1), 'id has 257 characters, 256 at most'],
  ])('is not %.20j', (value, message) => expect(() => parseUserId(value, 'id')).toThrow(message));
});

describe("a profile's user id", () => {
  const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');
  const subject = pseudonymizer.seal('ada');
  const open = (profileKey: string, sealed = subject) => unsealUserId(pseudonymizer, { profileKey, subject: sealed });

  it('is opened for a user', () => expect(open(pseudonymizer.toProfileKey({ userId: 'ada' }))).toBe('ada'));

  it('is not opened for a device of the same name, or of nobody', () => {
    expect(open(pseudonymizer.toProfileKey({ anonymousId: 'ada' }))).toBeNull();
    expect(open(pseudonymizer.toProfileKey({ userId: 'ada' }), Buffer.alloc(0))).toBeNull();
  });
});
