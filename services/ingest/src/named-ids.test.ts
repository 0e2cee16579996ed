import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import { ID_STRENGTHS } from '@perennial/identity';
import { must } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { normalise } from './domain/normalise.js';
import { Rejection } from './domain/rejection.js';
import { toAcceptedRecord } from './records.js';

const NOW = Date.UTC(2024, 4, 15);
const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');

/** The ids that the record of an event names: kind, external id, and whether it is an alias. */
function listNamed(raw: Record<string, unknown>) {
  const event = normalise(raw, { receivedAtMs: NOW, clockMode: 'wall', createMessageId: () => 'm' });
  if (event instanceof Rejection) throw new Error(event.message);
  const context = { pseudonymizer, acceptedTopic: 'a', rejectedTopic: 'r', namespace: 'live', partitions: 4 };
  const { record } = AcceptedRecord.decode(must(toAcceptedRecord(event, 's', context).value, 'a value'));
  if (record?.$case !== 'event') throw new Error('not an event');
  return record.value.namedIds.map(({ profile, alias }) => {
    const { key, strength, subject } = must(profile, 'a profile');
    const id = pseudonymizer.unseal(subject);
    const kind = strength === ID_STRENGTHS.user ? 'user' : 'anonymous';
    expect(key).toBe(pseudonymizer.toProfileKey(kind === 'user' ? { userId: id } : { anonymousId: id }));
    return `${kind} ${id}${alias ? ' is the same' : ''}`;
  });
}

describe('the ids that an event names beside its own', () => {
  const track = { type: 'track', event: 'Seen' };

  it.each<[string, Record<string, unknown>, string[]]>([
    ['a user alone', { ...track, userId: 'u' }, []],
    ['a device alone', { ...track, anonymousId: 'a' }, []],
    ['a user on a device', { ...track, userId: 'u', anonymousId: 'a' }, ['anonymous a']],
    ['a user whose device is a placeholder', { ...track, userId: 'u', anonymousId: 'null' }, []],
    ['an identify', { type: 'identify', userId: 'u', anonymousId: 'a' }, ['anonymous a']],
    ['an alias', { type: 'alias', userId: 'u', previousId: 'p' }, ['anonymous p', 'user p is the same']],
    [
      'an alias of its device',
      { type: 'alias', userId: 'u', previousId: 'a', anonymousId: 'a' },
      ['anonymous a', 'user a is the same'],
    ],
    [
      'an alias on another device',
      { type: 'alias', userId: 'u', previousId: 'p', anonymousId: 'a' },
      ['anonymous a', 'anonymous p', 'user p is the same'],
    ],
    ['an alias of itself', { type: 'alias', userId: 'u', previousId: 'u' }, ['anonymous u']],
    ['a previous id of what is no alias', { ...track, userId: 'u', previousId: 'p' }, []],
  ])('%s', (_, raw, expected) => expect(listNamed(raw)).toEqual(expected));
});
