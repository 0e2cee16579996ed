import { describe, expect, it } from '@jest/globals';
import { INITIAL_RATES } from '@perennial/commerce';
import { AcceptedEvent } from '@perennial/contracts';
import { toFeatureEvent } from './fold.js';
import { toTakeBack } from './take-back.js';

const event = { ...AcceptedEvent.decode(new Uint8Array()), messageId: 'm', type: 'track', timeZone: 'Asia/Tokyo' };

describe('an event as features count it', () => {
  it('has its own time zone, when it comes and when it is taken back', () => {
    const input = { event, properties: {} };
    expect(toFeatureEvent(input, INITIAL_RATES).timeZone).toBe('Asia/Tokyo');
    expect(toFeatureEvent({ ...input, event: { ...event, timeZone: '' } }, INITIAL_RATES).timeZone).toBe('');
    const retraction = { messageId: 'm', amountOnly: false, rate: 1, currency: 'EUR' };
    const retracted = { retraction, original: input } as unknown as Parameters<typeof toTakeBack>[0];
    expect(toTakeBack(retracted, 0).counted?.event.timeZone).toBe('Asia/Tokyo');
  });
});
