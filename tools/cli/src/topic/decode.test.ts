import { describe, expect, it } from '@jest/globals';
import { decodeRecord } from './decode.js';

describe('a record of a topic', () => {
  it('shows why it cannot be read, not a value that it has not', () => {
    const unreadable = { reason: 'batch_too_large', message: 'invalid batch', firstOffset: 4 } as const;
    expect(decodeRecord('eventReceived', { value: null, unreadable })).toEqual({
      kind: 'unreadable',
      value: unreadable,
    });
    expect(decodeRecord('eventReceived', { value: null })).toEqual({ kind: 'tombstone', value: null });
    expect(decodeRecord('eventReceived', { value: Buffer.from('{}') })).toEqual({ kind: 'json', value: {} });
  });
});
