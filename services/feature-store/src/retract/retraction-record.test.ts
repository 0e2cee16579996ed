import { expect, it } from '@jest/globals';
import type { AcceptedEvent } from '@perennial/contracts';
import { NOON, toEvent, toUser } from '../identity/join-test-kit.js';
import { decodeRetraction, encodeRetraction } from './retraction-record.js';

const anna = toUser('anna');

const decode = (fields: Partial<AcceptedEvent>) =>
  decodeRetraction({
    key: Buffer.from(anna.key),
    value: encodeRetraction({
      self: anna,
      messageId: 'm1',
      original: toEvent(anna, fields),
      amountOnly: false,
      currency: 'USD',
      copy: false,
      by: 'olga',
      reason: '',
      askedAtMs: NOON,
    }),
  });

it('refuses an event that is none that ingest writes: it would stop the partition', () => {
  expect(decode({})).toMatchObject({ kind: 'record', key: anna.key });
  for (const [fields, problem] of [
    [{ receivedAtMs: 1e15 }, 'event with a time that is not between 1970 and 2100'],
    [{ timestampMs: NOON + 1 }, 'event with a time after it was received'],
    [{ amount: 1e300 }, 'event with an amount beyond what counts as one'],
    [{ amount: Number.NaN }, 'event with an amount beyond what counts as one'],
    [{ messageId: 'm2' }, 'a retraction of another event than the one that it has'],
  ] as const) {
    expect(() => decode(fields)).toThrow(expect.objectContaining({ code: 'contract_violation', message: problem }));
  }
});
