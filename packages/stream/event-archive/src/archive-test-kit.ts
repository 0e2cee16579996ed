import { AcceptedEvent, AcceptedRecord, toTopic } from '@perennial/contracts';
import type { LogRecord } from '@perennial/kafka';
import { createSeededRandom } from '@perennial/kernel';
import { ParquetFileWriter } from './parquet-file.js';

export const NAMESPACE = 'live';
export const TOPIC = toTopic(NAMESPACE, 'eventAccepted');
/** Minutes before midnight, so that a test's records span the change of a day. */
export const START_MS = Date.UTC(2026, 10, 23, 23, 55);

/** Records of one partition as a log may hold them: events, ticks, rollouts, and bytes that cannot be decoded. */
export function createRecords(seed: number, count: number, partition = 0): LogRecord[] {
  const random = createSeededRandom(seed);
  let timestampMs = START_MS;
  return Array.from({ length: count }, (_, offset) => {
    timestampMs += Math.floor(random() * 20_000);
    const record = { topic: TOPIC, partition, offset, timestampMs, headers: {} };
    const draw = random();
    if (draw < 0.05) return { ...record, key: null, value: null };
    if (draw < 0.1) return { ...record, key: Buffer.from([0xff, 0x00]), value: Buffer.from([0xff, offset % 256]) };
    if (draw < 0.3) return { ...record, key: null, value: encode({ $case: 'tick', value: { timeMs: timestampMs } }) };
    if (draw < 0.35) {
      const value = encode({ $case: 'rollout', value: { kind: 'policy', number: offset, hash: 'ab' } });
      return { ...record, key: null, value, headers: { traceparent: '00-1', ü: 'ö' } };
    }
    const key = Buffer.from(`profile-${Math.floor(random() * 9)}`);
    return { ...record, key, value: toEvent(offset, timestampMs), headers: { 'pn-position': `ingest/0:${offset}:0` } };
  });
}

/** All records in one file. */
export function encodeRecords(records: readonly LogRecord[], options: { readonly rowGroupRows: number }): Buffer {
  const writer = new ParquetFileWriter(options);
  for (const record of records) writer.add(record);
  return writer.finish();
}

function toEvent(offset: number, timestampMs: number): Buffer {
  return encode({
    $case: 'event',
    value: {
      ...AcceptedEvent.decode(new Uint8Array()),
      messageId: `m${offset}`,
      sourceId: 'web',
      type: 'track',
      name: 'Order Completed',
      timestampMs: timestampMs - 1000,
      receivedAtMs: timestampMs,
      subject: Buffer.from([1, 2, 3]),
      anonymous: false,
      propertiesJson: Buffer.from(JSON.stringify({ revenue: offset, note: 'ä"\n' })),
      timeZone: '',
      currency: '',
      namedIds: [],
      forwardedTo: undefined,
    },
  });
}

function encode(record: AcceptedRecord['record']): Buffer {
  return Buffer.from(AcceptedRecord.encode({ record }).finish());
}
