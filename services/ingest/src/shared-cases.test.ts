import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { fromReceivedRecord } from './domain/from-received-record.js';
import { normalise } from './domain/normalise.js';
import { Rejection } from './domain/rejection.js';
import { createIngestHarness, type IngestHarness, NOW_MS, WRITE_KEY } from './testing/fakes.js';

jest.setTimeout(30_000);

/** Inputs of real producers, kept beside the project where it is developed. */
const CASES = join(import.meta.dirname, '../../../../shared/cases');
const MINUTE = 60_000;

function readCase(name: string): string {
  return readFileSync(join(CASES, name), 'utf8');
}

/** Where they are missing these tests are listed as skipped. */
const describeCases = existsSync(join(CASES, 'c13-placeholder-ids.json')) ? describe : describe.skip;

let ingest: IngestHarness;
beforeEach(() => {
  ingest = createIngestHarness();
});
afterEach(() => ingest.server.close());

async function post(body: unknown) {
  const headers = { authorization: `Bearer ${WRITE_KEY}`, 'content-type': 'application/json' };
  const payload = typeof body === 'string' ? body : JSON.stringify(body);
  const response = await ingest.server.inject({ method: 'POST', url: '/v1/batch', headers, payload });
  expect(response.statusCode).toBe(200);
  return response.json<{ rejected?: Array<{ index: number; reason: string; message: string }> }>();
}

describeCases('messages and contexts of real producers', () => {
  it('c03: three CloudEvents of three sources with one id are three messages', () => {
    const ids = readCase('c03-cloudevents-same-id.jsonl')
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => {
        const call = fromReceivedRecord({ value: Buffer.from(line), headers: {} });
        if (call instanceof Rejection) return call.reason;
        const event = normalise(call.body, { receivedAtMs: NOW_MS, clockMode: 'wall', createMessageId: () => 'none' });
        return event instanceof Rejection ? event.reason : event.messageId;
      });
    expect(new Set(ids).size).toBe(3);
    expect(ids.every((id) => id.startsWith('ce:'))).toBe(true);
  });

  it('c06: events inherit the context of their batch', async () => {
    await post(readCase('c06-batch-context.json'));
    expect(ingest.producer.accepted().map(({ timeZone }) => timeZone)).toEqual(['Asia/Tokyo', 'Asia/Tokyo']);
  });

  it('c07: a time zone in each form is nine hours east', async () => {
    await post(readCase('c07-offset-time-zones.json'));
    const zones = ingest.producer.accepted().map(({ timeZone }) => timeZone);
    expect(zones).toHaveLength(4);
    for (const timeZone of zones) {
      const hour = new Intl.DateTimeFormat('en', { timeZone, hour: '2-digit', hourCycle: 'h23' });
      expect([timeZone, hour.format(Date.UTC(2024, 5, 10, 12))]).toEqual([timeZone, '21']);
    }
  });
});

describeCases('times and ids of real producers', () => {
  it('c08: an implausible sentAt neither moves nor rejects a good timestamp', async () => {
    const iso = (ms: number) => new Date(ms).toISOString();
    const text = readCase('c08-sent-at.json')
      .replaceAll('"NOW - 5 min"', JSON.stringify(iso(NOW_MS - 5 * MINUTE)))
      .replaceAll('"NOW - 14 days"', JSON.stringify(iso(NOW_MS - 14 * 24 * 60 * MINUTE)));
    const [, ...bodies] = JSON.parse(text) as unknown[];
    for (const body of bodies) await post(body);
    const times = ingest.producer.accepted().map(({ timestampMs }) => timestampMs);
    expect(times).toEqual(bodies.map(() => NOW_MS - 5 * MINUTE));
  });

  it.each([
    ['c10-bigquery-utc.csv', 1, ['2024-03-01T10:00:00.000Z']],
    ['c10-postgres-offset.csv', 1, ['2024-03-01T10:00:00.000Z', '2024-03-02T08:00:00.500Z']],
    ['c10-shopify-offset.csv', 1, ['2024-03-01T15:00:00.000Z']],
    ['c10-minutes-space-offset.csv', 1, ['2020-07-02T12:33:00.000Z', '2020-08-01T04:45:00.000Z']],
  ])('c10: the times of %s, sent by HTTP', async (name, column, expected) => {
    const rows = readCase(name).trim().split(/\r?\n/).slice(1);
    const batch = rows.map((row) => ({ type: 'track', userId: 'u', event: 'x', timestamp: row.split(',')[column] }));
    await post({ batch });
    expect(ingest.producer.accepted().map(({ timestampMs }) => new Date(timestampMs).toISOString())).toEqual(expected);
  });

  it('c13: placeholders are nobody, and an anonymous id beside one counts', async () => {
    const { rejected } = await post(readCase('c13-placeholder-ids.json'));
    const accepted = ingest.producer.accepted();
    expect(accepted.map(({ anonymous }) => anonymous)).toEqual([true, true]);
    expect(new Set(accepted.map(({ key }) => key)).size).toBe(2);
    expect(rejected?.map(({ index, reason }) => [index, reason])).toEqual([
      [2, 'placeholder_id'],
      [3, 'placeholder_id'],
      [4, 'placeholder_id'],
    ]);
  });
});
