import { describe, expect, it } from '@jest/globals';
import { AcceptedRecord } from '@perennial/contracts';
import { must } from '@perennial/kernel';
import { createPseudonymizer } from '@perennial/privacy';
import { normalise } from './domain/normalise.js';
import { Rejection } from './domain/rejection.js';
import { toAcceptedRecord } from './records.js';

/** The context in the record of an event. */
function carry(context: unknown): string | undefined {
  const raw = { type: 'track', event: 'Seen', userId: 'ada', context };
  const event = normalise(raw, { receivedAtMs: Date.UTC(2024, 4, 15), clockMode: 'wall', createMessageId: () => 'm' });
  if (event instanceof Rejection) throw new Error(event.message);
  const pseudonymizer = createPseudonymizer('a secret of more than thirty-two characters');
  const topics = { pseudonymizer, acceptedTopic: 'a', rejectedTopic: 'r', namespace: 'live', partitions: 4 };
  const { record } = AcceptedRecord.decode(must(toAcceptedRecord(event, 's', topics).value, 'a value'));
  if (record?.$case !== 'event') throw new Error('not an event');
  return record.value.contextJson?.toString();
}

describe('the record of an event', () => {
  it('carries what conditions may read of the context', () => {
    const context = { ip: '8.8.8.8', locale: 'de', device: { type: 'ios', id: 'd-1' }, page: { path: '/me' } };
    expect(carry(context)).toBe('{"locale":"de","device":{"type":"ios"}}');
  });

  it('has no context where there is nothing to carry', () => {
    for (const context of [undefined, null, {}, { ip: '8.8.8.8' }, 'x']) expect(carry(context)).toBeUndefined();
  });
});
