import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { toCloudEventMessageId } from './cloud-event-id.js';
import { fromReceivedRecord } from './from-received-record.js';

type Received = Parameters<typeof fromReceivedRecord>[0];

function bodyOf(record: Received): unknown {
  const call = fromReceivedRecord(record);
  return 'body' in call ? call.body : call;
}

const text = fc.string({ minLength: 1, maxLength: 120 }).filter((id) => id.trim() !== '');

describe('the message id of a CloudEvent', () => {
  it('is one for each source and id, and no other', () => {
    fc.assert(
      fc.property(
        fc.tuple(text, fc.stringMatching(/^[0-9a-f]{2,9}$/)),
        fc.tuple(text, fc.stringMatching(/^[0-9a-f]{2,9}$/)),
        (a, b) => {
          const [first, second] = [a, b].map(([source, id]) => toCloudEventMessageId({ source, id: `e${id}` }));
          return (first === second) === (a[0] === b[0] && a[1] === b[1]);
        },
      ),
      { numRuns: 1000, seed: 3 },
    );
  });

  it.each([
    [{ source: undefined, id: '100' }, '100'],
    [{ source: '', id: '100' }, '100'],
    [{ source: '/shop', id: 'undefined' }, 'undefined'],
    [{ source: '/shop', id: '' }, ''],
    [{ source: '/shop', id: undefined }, undefined],
    [{ source: '/shop', id: {} }, {}],
  ])('is the id alone for %j', (attributes, expected) => {
    expect(toCloudEventMessageId(attributes)).toEqual(expected);
  });

  it('does not depend on the mode, and is stable', () => {
    const data = { userId: 'u', event: 'x' };
    const attributes = { specversion: '1.0', id: '100', source: '/shop/web', type: 'com.example.track' };
    const structured = { value: Buffer.from(JSON.stringify({ ...attributes, data })), headers: {} };
    const headers = { ce_specversion: '1.0', ce_id: '100', ce_source: '/shop/web', ce_type: 'com.example.track' };
    const binary = { value: Buffer.from(JSON.stringify(data)), headers };
    const inBase64 = { ...attributes, data_base64: Buffer.from(JSON.stringify(data)).toString('base64') };
    const bytes = { value: Buffer.from(JSON.stringify(inBase64)), headers: {} };
    const asText = { ...attributes, data: JSON.stringify(data) };
    const text = { value: Buffer.from(JSON.stringify(asText)), headers: {} };
    for (const record of [structured, binary, bytes, text]) {
      expect(bodyOf(record)).toMatchObject({ messageId: 'ce:gv2f-7sqNlu040aSRmgs-Q', type: 'track' });
    }
    const empty = { value: Buffer.from(JSON.stringify({ ...attributes, data_base64: 'e30' })), headers: {} };
    expect(bodyOf(empty)).toMatchObject({ messageId: 'ce:gv2f-7sqNlu040aSRmgs-Q' });
    for (const [base64, reason] of [
      ['!!', 'not_json'],
      ['W10=', 'not_an_object'],
    ]) {
      const bad = { value: Buffer.from(JSON.stringify({ ...attributes, data_base64: base64 })), headers: {} };
      expect(fromReceivedRecord(bad)).toMatchObject({ reason });
    }
    for (const [text, reason] of [
      ['{', 'not_json'],
      ['[]', 'not_an_object'],
    ]) {
      const bad = { value: Buffer.from(JSON.stringify({ ...attributes, data: text })), headers: {} };
      expect(fromReceivedRecord(bad)).toMatchObject({ reason });
    }
    const own = { ...binary, value: Buffer.from(JSON.stringify({ ...data, messageId: 'm1' })) };
    expect(bodyOf(own)).toMatchObject({ messageId: 'm1' });
  });

  it.each(['', null])('stands in for the empty fields of its data (%j), in both modes', (none) => {
    const data = { userId: 'u', event: 'x', messageId: none, type: none, timestamp: none };
    const attributes = { id: '100', source: '/shop/web', type: 'com.example.track', time: '2026-01-02T03:04:05Z' };
    const structured = Buffer.from(JSON.stringify({ specversion: '1.0', ...attributes, data }));
    const headers = Object.fromEntries(Object.entries(attributes).map(([name, value]) => [`ce_${name}`, value]));
    const records = [
      { value: structured, headers: {} },
      { value: Buffer.from(JSON.stringify(data)), headers: { ce_specversion: '1.0', ...headers } },
    ];
    for (const record of records) {
      expect(bodyOf(record)).toMatchObject({
        messageId: 'ce:gv2f-7sqNlu040aSRmgs-Q',
        type: 'track',
        timestamp: '2026-01-02T03:04:05Z',
      });
    }
  });
});
