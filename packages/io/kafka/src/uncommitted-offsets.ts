import { replaceKafkajsModule } from './kafkajs-internals.js';

const LIST_OFFSETS_MODULE = 'kafkajs/src/protocol/requests/listOffsets/v3/request.js';
/** Times of the protocol that mean no time: the end of the log. */
const LATEST = '-1';
const READ_UNCOMMITTED = 0;

/** A time that stands for the end of the log, open transactions included. kafkajs has no way to ask for it. */
export const UNCOMMITTED_END = -1_000;

interface ListOffsets {
  readonly replicaId: number;
  readonly isolationLevel: number;
  readonly topics: ReadonlyArray<{
    readonly topic: string;
    readonly partitions: ReadonlyArray<{ readonly partition: number; readonly timestamp: number | string }>;
  }>;
}

type CreateRequest = (payload: ListOffsets) => unknown;

/**
 * Patches kafkajs's request for offsets: it asks as a reader of committed records does, so a log with an open
 * transaction ends before it. The time UNCOMMITTED_END asks for the end behind it.
 */
export function installUncommittedOffsets(): void {
  replaceKafkajsModule<CreateRequest>(LIST_OFFSETS_MODULE, toUncommitted);
}

function toUncommitted(original: CreateRequest): CreateRequest {
  return (payload) => {
    const isAsked = ({ timestamp }: { timestamp: number | string }) => Number(timestamp) === UNCOMMITTED_END;
    if (!payload.topics.some(({ partitions }) => partitions.some(isAsked))) return original(payload);
    const topics = payload.topics.map(({ topic, partitions }) => ({
      topic,
      partitions: partitions.map((asked) => ({ ...asked, timestamp: LATEST })),
    }));
    return original({ ...payload, topics, isolationLevel: READ_UNCOMMITTED });
  };
}
