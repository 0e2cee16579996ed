import { encodePosition, HEADERS, toTopic } from '@perennial/contracts';
import { RECORD_LIMITS } from '@perennial/kafka';
import { beginTransaction, CODEC_NAMES, encodeOddBatch, type OddBatch, produceRaw } from '@perennial/kafka/odd-batches';
import { AppError, systemClock } from '@perennial/kernel';
import type { World } from '../world.js';
import type { Draw, Fault } from './fault.js';

/*
 * Other producers on `event.received`, with what their clients may do: every codec, headers without end, bombs, damaged
 * batches, transactions that are left open; and positions that no processor wrote. What is readable must be counted like
 * any other event, the rest rejected, and nothing may stand still.
 */

const HEADERS_MAX = 100_000;
/** Twice what a batch may have unpacked; a thousandth of it travels. */
const BOMB_BYTES = 2 * RECORD_LIMITS.batchBytesMax;
/** The broker ends a transaction that its producer has left after this, and looks every ten seconds. */
const TRANSACTION_TIMEOUT_MS = 3_000;
const ROUNDS = { min: 3, max: 8 } as const;

type Act = (world: World, draw: Draw) => Promise<string>;

const ACTS: readonly Act[] = [sendPacked, sendManyHeaders, sendBomb, sendDamaged, leaveTransaction, forgePosition];

export const FOREIGN_FAULTS: readonly Fault[] = [
  {
    name: 'foreign-producer',
    row: 20,
    lane: 'services',
    async run(world, draw) {
      const done: string[] = [];
      for (let rounds = draw.between(ROUNDS.min, ROUNDS.max); rounds > 0; rounds--)
        done.push(await draw.pick(ACTS)(world, draw));
      return done.join(', ');
    },
  },
];

/** New events of the workload, packed by any codec of Kafka: acknowledged ones must be counted. */
async function sendPacked(world: World, draw: Draw): Promise<string> {
  const codec = draw.pick(CODEC_NAMES);
  await world.workload.sendBy(async (values) => {
    await produce(world, draw, { codec, records: values.map((value) => ({ value })) });
  });
  return `events by ${codec}`;
}

async function sendManyHeaders(world: World, draw: Draw): Promise<string> {
  const count = draw.between(1_000, HEADERS_MAX);
  const headers = Array.from({ length: count }, (_, index) => [`h${index}`, null] as const);
  await produce(world, draw, { records: [{ value: Buffer.from('{}'), headers }] });
  return `${count} headers`;
}

async function sendBomb(world: World, draw: Draw): Promise<string> {
  await produce(world, draw, { codec: 'gzip', records: [{ value: Buffer.alloc(BOMB_BYTES) }] });
  return `a bomb of ${BOMB_BYTES >> 20} MiB`;
}

/** The broker looks into most batches and turns damaged ones away; what it takes must not stop anyone. */
async function sendDamaged(world: World, draw: Draw): Promise<string> {
  const body = Buffer.from(Array.from({ length: draw.between(0, 60) }, () => draw.between(0, 255)));
  const damaged = { codec: draw.pick(CODEC_NAMES), pack: () => body, records: [{ value: body }] };
  const error = await tryToProduce(world, draw, damaged);
  return error === undefined ? 'a damaged batch' : 'a damaged batch that the broker turned away';
}

/** Events of a transaction count once it is committed, and never when it is aborted, by its producer or by the broker. */
async function leaveTransaction(world: World, draw: Draw): Promise<string> {
  const { platform, namespace, workload } = world;
  const end = draw.pick(['commit', 'abort', 'leave'] as const);
  const heldMs = draw.between(100, 2 * TRANSACTION_TIMEOUT_MS);
  const brokers = platform.endpoints.kafkaBrokers.split(',');
  const send = async (values: readonly Buffer[]) => {
    const timeoutMs = end === 'leave' ? TRANSACTION_TIMEOUT_MS : 10 * TRANSACTION_TIMEOUT_MS;
    const topic = toTopic(namespace, 'eventReceived');
    const transaction = await beginTransaction(
      { brokers, timeoutMs },
      topic,
      values.map((value) => ({ value })),
    );
    await systemClock.wait(heldMs);
    await transaction[end]();
  };
  await (end === 'commit' ? workload.sendBy(send) : workload.sendInVain(send));
  return `a transaction of ${heldMs} ms: ${end}`;
}

/** Garbage between the services that claims to stand far ahead: it must not make later records look like repeats. */
async function forgePosition(world: World, draw: Draw): Promise<string> {
  const { producer, namespace, partitions } = world;
  const [topic, source] = draw.pick([
    ['featureUpdated', 'feature-store'],
    ['scoreComputed', 'scoring'],
  ] as const);
  const partition = draw.between(0, partitions - 1);
  const position = { source: `${source}/${partition}`, offset: draw.between(0, 2 ** 40), ordinal: 0 };
  await producer.send([
    {
      topic: toTopic(namespace, topic),
      partition,
      key: Buffer.from('forged'),
      value: Buffer.from('forged'),
      headers: { [HEADERS.position]: encodePosition(position) },
    },
  ]);
  return `a forged position on ${topic}`;
}

async function produce(world: World, draw: Draw, batch: OddBatch): Promise<void> {
  const error = await tryToProduce(world, draw, batch);
  if (error !== undefined) throw new AppError('contract_violation', `the broker answered error ${error}`);
}

/** The broker's error code; undefined when it took the batch. */
async function tryToProduce(
  { platform, namespace, partitions }: World,
  draw: Draw,
  batch: OddBatch,
): Promise<number | undefined> {
  const [broker = ''] = platform.endpoints.kafkaBrokers.split(',');
  const target = { broker, topic: toTopic(namespace, 'eventReceived'), partition: draw.between(0, partitions - 1) };
  const answer = await produceRaw(target, encodeOddBatch(batch));
  return 'error' in answer ? answer.error : undefined;
}
