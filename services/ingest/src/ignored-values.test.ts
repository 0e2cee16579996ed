import { afterEach, beforeEach, describe, expect, it, jest } from '@jest/globals';
import { startPlaceholderDirectory } from './placeholder-directory.js';
import {
  createIngestHarness,
  FakeClock,
  FakePlaceholderStore,
  type IngestHarness,
  WRITE_KEY,
} from './testing/fakes.js';

jest.setTimeout(30_000);

describe('values that ingest cannot use', () => {
  let ingest: IngestHarness;

  beforeEach(() => {
    ingest = createIngestHarness();
  });
  afterEach(() => ingest.server.close());

  async function post(url: string, payload: object) {
    const headers = { authorization: `Bearer ${WRITE_KEY}`, 'content-type': 'application/json' };
    return ingest.server.inject({ method: 'POST', url, headers, payload });
  }

  it('are counted by field and source, and the event is accepted', async () => {
    const event = { type: 'track', userId: 'u', event: 'x', timestamp: '2026-05-01T11:00:00Z' };
    const batch = [
      { ...event, context: { timezone: 'Mars/Olympus' } },
      event,
      { ...event, context: { timezone: 'UTC' }, userId: 'null', anonymousId: 'a' },
    ];
    const response = await post('/v1/batch', { batch, sentAt: '1970-01-01T00:00:00Z', context: { timezone: 'BST' } });
    expect(response.json()).toEqual({ success: true });
    expect(ingest.producer.accepted().map(({ timeZone }) => timeZone)).toEqual(['', '', 'UTC']);
    const metrics = (await ingest.server.inject('/metrics')).body.split('\n');
    const counts = metrics.filter((line) => line.startsWith('ingest_values_ignored_total'));
    const read = (field: string) => counts.find((line) => line.includes(`field="${field}"`));
    expect(['time_zone', 'sent_at', 'user_id'].map((field) => read(field)?.split(' ').at(-1))).toEqual(['2', '3', '1']);
    expect(counts.every((line) => line.includes('source="src_1"') && line.includes('transport="http"'))).toBe(true);
  });

  it('are counted where they are time zones, and that of the batch is taken', async () => {
    const event = { type: 'track', userId: 'u', event: 'x' };
    const batch = [{ ...event, context: { timezone: 'Mars/Olympus' } }, event];
    await post('/v1/batch', { batch, context: { timezone: 'Asia/Tokyo' } });
    expect(ingest.producer.accepted().map(({ timeZone }) => timeZone)).toEqual(['Asia/Tokyo', 'Asia/Tokyo']);
    const metrics = (await ingest.server.inject('/metrics')).body.split('\n');
    expect(
      metrics
        .find((line) => line.includes('field="time_zone"'))
        ?.split(' ')
        .at(-1),
    ).toBe('1');
  });

  it('are named where they reject the event, in the answer and in event.rejected', async () => {
    const response = await post('/v1/track', { userId: 'u', event: 'x', timestamp: '2024-02-30' });
    expect(response.statusCode).toBe(400);
    const message = 'timestamp "2024-02-30" is a day that does not exist';
    expect(response.json()).toEqual({ success: false, error: 'invalid_timestamp', message });
    expect(ingest.producer.rejected()).toMatchObject([
      { reason: 'invalid_timestamp', step: 'clock', message, field: 'timestamp', value: '"2024-02-30"' },
    ]);
  });

  it('keep what an event inherits when it is rejected', async () => {
    await post('/v1/batch', { context: { timezone: 'Asia/Tokyo' }, batch: [{ type: 'track', userId: 'u', event: 7 }] });
    const [rejected] = ingest.producer.rejected();
    expect(JSON.parse(rejected?.event ?? '{}')).toMatchObject({ context: { timezone: 'Asia/Tokyo' } });
  });
});

describe('the placeholder ids of a namespace', () => {
  it('follow the store within ten seconds, and stay while it is away', async () => {
    const store = new FakePlaceholderStore();
    const clock = new FakeClock();
    const errors: unknown[] = [];
    const directory = await startPlaceholderDirectory(store, { clock, onError: (error) => errors.push(error) });
    const settle = () => new Promise((resolve) => setImmediate(resolve));
    expect(directory.current().has('shop-test')).toBe(false);
    store.changes = { added: ['shop-test'], allowed: ['guest'] };
    clock.move(10_000);
    await settle();
    expect(['shop-test', 'guest', 'null'].map((id) => directory.current().has(id))).toEqual([true, false, true]);
    store.away = true;
    clock.move(10_000);
    await settle();
    expect([errors.length, directory.current().has('shop-test')]).toEqual([1, true]);
    clock.move(10_000);
    await directory.stop();
  });

  it('fail the start when they cannot be read', async () => {
    const store = new FakePlaceholderStore();
    store.away = true;
    const starting = startPlaceholderDirectory(store, { clock: new FakeClock(), onError: () => undefined });
    await expect(starting).rejects.toMatchObject({ code: 'dependency_unavailable' });
  });
});
