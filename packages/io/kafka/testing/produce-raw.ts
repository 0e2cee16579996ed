import { connect } from 'node:net';
import { must } from '@perennial/kernel';

const PRODUCE_KEY = 0;
/** The first version in which a broker takes zstd. */
const PRODUCE_VERSION = 7;
const ACKS_ALL = -1;
const TIMEOUT_MS = 10_000;

/** Where a batch goes to: the leader of its partition, as host and port. */
export interface RawTarget {
  readonly broker: string;
  readonly topic: string;
  readonly partition: number;
}

/**
 * Sends an encoded batch as it is, over a connection of its own. Returns its first offset, or the error code of the
 * protocol with which the broker answered (https://kafka.apache.org/protocol#protocol_error_codes).
 */
export async function produceRaw(target: RawTarget, batch: Buffer): Promise<{ offset: number } | { error: number }> {
  const answer = await exchange(target.broker, encodeProduce(target, batch));
  // Correlation id, number of topics, the topic's name, number of partitions, the partition.
  const at = 4 + 4 + 2 + Buffer.byteLength(target.topic) + 4 + 4;
  const error = answer.readInt16BE(at);
  return error === 0 ? { offset: Number(answer.readBigInt64BE(at + 2)) } : { error };
}

function encodeProduce({ topic, partition }: RawTarget, batch: Buffer): Buffer {
  const body = Buffer.concat([
    ...[toInt16(PRODUCE_KEY), toInt16(PRODUCE_VERSION), toInt32(1), toText('raw')],
    // No transactional id.
    ...[toInt16(-1), toInt16(ACKS_ALL), toInt32(TIMEOUT_MS)],
    ...[toInt32(1), toText(topic), toInt32(1), toInt32(partition), toInt32(batch.length), batch],
  ]);
  return Buffer.concat([toInt32(body.length), body]);
}

function exchange(broker: string, request: Buffer): Promise<Buffer> {
  const [host, port] = broker.split(':');
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), must(host, 'a host'));
    let received = Buffer.alloc(0);
    socket.setTimeout(TIMEOUT_MS, () => socket.destroy(new Error(`${broker} did not answer`)));
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`${broker} closed the connection`)));
    socket.on('data', (bytes) => {
      received = Buffer.concat([received, bytes]);
      if (received.length < 4 || received.length < 4 + received.readInt32BE(0)) return;
      resolve(received.subarray(4));
      socket.destroy();
    });
    socket.write(request);
  });
}

function toInt16(value: number): Buffer {
  const bytes = Buffer.alloc(2);
  bytes.writeInt16BE(value);
  return bytes;
}

function toInt32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeInt32BE(value);
  return bytes;
}

function toText(text: string): Buffer {
  return Buffer.concat([toInt16(Buffer.byteLength(text)), Buffer.from(text)]);
}
