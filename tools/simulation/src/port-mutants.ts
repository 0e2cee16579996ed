import { HEADERS } from '@perennial/contracts';
import type { Log, LogRecord, OutgoingRecord } from '@perennial/kafka';
import type { PartitionStore } from '@perennial/keyed-processor';
import { decodeOutbox, encodeOutbox } from '@perennial/keyed-processor/internals';
import { memoryOf, type OnBroken, type PortMutant, type StoreOwner } from './mutant.js';
import type { RuleName } from './rules.js';

/** Mutants at the ports of a process, which also work in a real service. */
export const PORT_MUTANTS = {
  'outbox-not-republished': { inStore: withoutRepublishing },
  'outbox-dropped-before-acknowledged': { inStore: withEarlyDrops },
  'timers-outside-commit': { inStore: withTimersApart },
  'positions-not-checked-downstream': {
    inLog: (log, onBroken) => ({
      ...log,
      startConsumer: (options, handlers) =>
        log.startConsumer(options, {
          ...handlers,
          onRecords: (partition, records) =>
            handlers.onRecords(
              partition,
              records.map((record) => withoutPosition(record, onBroken)),
            ),
        }),
    }),
  },
  'positions-not-bounded': { inLog: withEndlessSources },
  'outputs-coalesced-by-batch': {
    inStore: withCoalescedOutbox,
    inLog: (log, onBroken) => ({
      ...log,
      async createProducer(options) {
        const producer = await log.createProducer(options);
        return { send: (records) => producer.send(coalesce(records, onBroken)), close: () => producer.close() };
      },
    }),
  },
  'cache-kept-when-fenced': { inStore: withKeptCache },
} as const satisfies Partial<Record<RuleName, PortMutant>>;

/** Every offset of a source's log exists, as far as a reader of its outputs can see. */
function withEndlessSources(log: Log, onBroken: OnBroken): Log {
  let input: string | undefined;
  return {
    ...log,
    startConsumer(options, handlers) {
      input = options.topic;
      return log.startConsumer(options, handlers);
    },
    async offsets(topic) {
      const offsets = await log.offsets(topic);
      if (input === undefined || topic === input) return offsets;
      onBroken();
      return new Map([...offsets].map(([partition, { low }]) => [partition, { low, high: Number.MAX_SAFE_INTEGER }]));
    },
  };
}

/** The rest are dropped by the next commit: one that stayed would prevent every snapshot, which is another failure. */
function withoutRepublishing(store: PartitionStore, { onBroken }: StoreOwner): PartitionStore {
  let owed: readonly number[] = [];
  return {
    ...store,
    async acquire(owner) {
      const { meta, outboxes } = await store.acquire(owner);
      owed = outboxes.map(({ sequence }) => sequence);
      if (owed.length > 0) onBroken();
      return { meta, outboxes: [] };
    },
    async commit(fence, request) {
      await store.commit(fence, { ...request, acknowledged: [...owed, ...request.acknowledged] });
      owed = [];
    },
  };
}

/** Each commit drops the outbox of the one before it too; the others, as it may: one that stayed would prevent every snapshot. */
function withEarlyDrops(store: PartitionStore, { onBroken }: StoreOwner): PartitionStore {
  let written: readonly number[] = [];
  return {
    ...store,
    async commit(fence, request) {
      const early = written.filter((sequence) => !request.acknowledged.includes(sequence));
      if (early.length > 0) onBroken();
      await store.commit(fence, { ...request, acknowledged: [...request.acknowledged, ...early] });
      written = request.outbox === undefined ? [] : [request.outbox.sequence];
    },
  };
}

function withTimersApart(store: PartitionStore, { onBroken }: StoreOwner): PartitionStore {
  return {
    ...store,
    async commit(fence, request) {
      await store.commit(fence, { ...request, timers: [] });
      if (request.timers.length === 0) return;
      onBroken();
      const { next, commits } = request.meta;
      const after = { ...request, states: [], outbox: undefined, acknowledged: [] };
      await store.commit({ owner: fence.owner, next, commits }, after);
    },
  };
}

function withCoalescedOutbox(store: PartitionStore, { onBroken }: StoreOwner): PartitionStore {
  return {
    ...store,
    commit: (fence, request) =>
      store.commit(fence, {
        ...request,
        outbox: request.outbox && {
          ...request.outbox,
          bytes: encodeOutbox(coalesce(decodeOutbox(request.outbox.bytes), onBroken)),
        },
      }),
  };
}

/** Reads return what the process once read or wrote, whatever the store holds now. */
function withKeptCache(store: PartitionStore, { process, place, onBroken }: StoreOwner): PartitionStore {
  const kept = memoryOf(process, place) as Map<string, Buffer | null>;
  return {
    ...store,
    async load(fence, request) {
      const reply = await store.load(fence, request);
      const states = request.keys.map((key, i) => {
        const stored = reply.states[i] ?? null;
        const known = kept.get(key);
        if (known === undefined) kept.set(key, stored);
        else if (!isSame(known, stored)) onBroken();
        return known === undefined ? stored : known;
      });
      return { ...reply, states };
    },
    async commit(fence, request) {
      await store.commit(fence, request);
      for (const [key, state] of request.states) kept.set(key, state);
    },
  };
}

function isSame(a: Buffer | null, b: Buffer | null): boolean {
  return a === null || b === null ? a === b : a.equals(b);
}

function withoutPosition(record: LogRecord, onBroken: OnBroken): LogRecord {
  const { [HEADERS.position]: position, ...headers } = record.headers;
  if (position !== undefined) onBroken();
  return { ...record, headers };
}

/** The last record of each key and position. */
function coalesce(records: readonly OutgoingRecord[], onBroken: OnBroken): OutgoingRecord[] {
  const last = new Set(
    new Map(records.map((record) => [`${record.topic}/${record.partition} ${record.key}`, record])).values(),
  );
  const kept = records.filter((record) => record.key === null || last.has(record));
  if (kept.length < records.length) onBroken();
  return kept;
}
