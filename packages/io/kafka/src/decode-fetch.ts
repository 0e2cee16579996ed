import { ByteReader } from './byte-reader.js';
import { decodeRecordSet, type UnpackBudget } from './decode-record-set.js';
import type { LogRecord } from './log.js';
import { RECORD_LIMITS } from './record-limits.js';

/** What a fetch asks for, as kafkajs passes it to the request. */
export interface FetchPayload {
  readonly topics: ReadonlyArray<{
    readonly topic: string;
    readonly partitions: ReadonlyArray<{
      readonly partition: number;
      readonly fetchOffset: string | number;
      readonly maxBytes: number;
    }>;
  }>;
}

/**
 * A message as kafkajs passes it through: it reads the offset only. Control records and aborted transactions at the end
 * of a fetch have one mark instead of a record: its offset is the last of theirs, `passedFrom` the first.
 */
export type FetchedMessage = { readonly offset: string } & (
  | { readonly record: LogRecord; readonly passedFrom?: undefined }
  | { readonly record?: undefined; readonly passedFrom: number }
);

interface PartitionResponse {
  readonly partition: number;
  readonly errorCode: number;
  readonly highWatermark: string;
  readonly lastStableOffset: string;
  readonly preferredReadReplica: number;
  /** Always empty: aborted records are already left out. */
  readonly abortedTransactions: readonly never[];
  readonly messages: readonly FetchedMessage[];
}

/** The fetch response in the form that kafkajs's own decoder gives. */
export interface FetchResponse {
  readonly throttleTime: 0;
  readonly clientSideThrottleTime: number;
  readonly errorCode: number;
  readonly sessionId: number;
  readonly responses: ReadonlyArray<{
    readonly topicName: string;
    readonly partitions: readonly PartitionResponse[];
  }>;
}

type Asked = ReadonlyMap<string, { readonly fetchOffset: number; readonly bytesMax: number }>;

const toKey = (topic: string, partition: number) => `${topic}|${partition}`;

/** Decodes a fetch response of version 11 (https://kafka.apache.org/protocol#The_Messages_Fetch). */
export async function decodeFetch(raw: Buffer, { topics }: FetchPayload): Promise<FetchResponse> {
  const asked = new Map(
    topics.flatMap(({ topic, partitions }) =>
      partitions.map(({ partition, fetchOffset, maxBytes }) => [
        toKey(topic, partition),
        { fetchOffset: Number(fetchOffset), bytesMax: maxBytes },
      ]),
    ),
  );
  const reader = new ByteReader(raw);
  const clientSideThrottleTime = reader.int32();
  const errorCode = reader.int16();
  const sessionId = reader.int32();
  const budget: UnpackBudget = { left: RECORD_LIMITS.fetchBytesMax };
  const responses: Array<{ topicName: string; partitions: PartitionResponse[] }> = [];
  for (let left = reader.int32(); left > 0; left--) {
    const topicName = reader.text() ?? '';
    const partitions: PartitionResponse[] = [];
    for (let count = reader.int32(); count > 0; count--) {
      partitions.push(await decodePartition(reader, { topic: topicName, asked, budget }));
    }
    responses.push({ topicName, partitions });
  }
  return { throttleTime: 0, clientSideThrottleTime, errorCode, sessionId, responses };
}

async function decodePartition(
  reader: ByteReader,
  { topic, asked, budget }: { topic: string; asked: Asked; budget: UnpackBudget },
): Promise<PartitionResponse> {
  const partition = reader.int32();
  const errorCode = reader.int16();
  const highWatermark = reader.int64Text();
  const lastStableOffset = reader.int64Text();
  // First offset of the log.
  reader.skip(8);
  const aborted = readAborted(reader);
  const preferredReadReplica = reader.int32();
  const set = reader.slice(Math.max(0, reader.length(reader.int32())));
  const { fetchOffset, bytesMax } = asked.get(toKey(topic, partition)) ?? { fetchOffset: 0, bytesMax: 1 };
  const decoded = await decodeRecordSet(set, { topic, partition, fetchOffset, bytesMax, aborted }, budget);
  const messages: FetchedMessage[] = decoded.records.map((record) => ({ offset: String(record.offset), record }));
  const passedTo = (decoded.records.at(-1)?.offset ?? fetchOffset - 1) + 1;
  if (decoded.next > passedTo) messages.push({ offset: String(decoded.next - 1), passedFrom: passedTo });
  return {
    ...{ partition, errorCode, highWatermark, lastStableOffset, preferredReadReplica },
    abortedTransactions: [],
    messages,
  };
}

function readAborted(reader: ByteReader): Array<{ producerId: string; firstOffset: number }> {
  const aborted: Array<{ producerId: string; firstOffset: number }> = [];
  for (let count = reader.length(reader.int32()); count > 0; count--) {
    aborted.push({ producerId: reader.int64Text(), firstOffset: reader.int64() });
  }
  return aborted;
}
