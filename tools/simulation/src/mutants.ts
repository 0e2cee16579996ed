import { HEADERS } from '@perennial/contracts';
import type { OutgoingRecord } from '@perennial/kafka';
import { decodeOutbox, encodeOutbox } from '@perennial/keyed-processor/internals';
import { type Mutant, toPort, uncounted } from './mutant.js';
import { SNAPSHOT_MUTANTS } from './snapshot-mutants.js';

/** Every rule of the heart that can be broken from outside it; see docs/RELIABILITY.md for what each would do. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'publish before commit',
    inStore: (store, { producer }) => ({
      ...store,
      async commit(fence, request) {
        if (request.outbox !== undefined) await producer().send(decodeOutbox(request.outbox.bytes));
        await store.commit(fence, request);
      },
    }),
  },
  {
    name: 'no owner check',
    atServer: (server) => ({
      ...toPort(server),
      load: (fence, request) => server.load({ ...fence, owner: server.owner }, request),
      commit: (fence, request) => server.commit({ ...fence, owner: server.owner }, request),
    }),
  },
  {
    name: 'no offset check',
    atServer: (server) => ({
      ...toPort(server),
      load: (fence, request) => server.load({ ...fence, ...server.position }, request),
      commit: (fence, request) => server.commit({ ...fence, ...server.position }, request),
    }),
  },
  {
    name: 'unfenced reads',
    atServer: (server) => ({
      ...toPort(server),
      load: (_fence, request) => server.load({ owner: server.owner, ...server.position }, request),
    }),
  },
  {
    name: 'parts of a tick not counted',
    atServer: (server) => uncounted(server, (restoring) => !restoring),
  },
  {
    name: 'outbox not re-published',
    inStore: (store) => ({
      ...store,
      acquire: async (owner) => ({ ...(await store.acquire(owner)), outboxes: [] }),
    }),
  },
  {
    name: 'outbox dropped before it was acknowledged',
    inStore(store) {
      const written: number[] = [];
      return {
        ...store,
        async commit(fence, request) {
          await store.commit(fence, { ...request, acknowledged: written.splice(0) });
          if (request.outbox !== undefined) written.push(request.outbox.sequence);
        },
      };
    },
  },
  {
    name: 'timers outside the commit',
    inStore: (store) => ({
      ...store,
      async commit(fence, request) {
        await store.commit(fence, { ...request, timers: [] });
        const { next, commits } = request.meta;
        const after = { ...request, states: [], outbox: undefined, acknowledged: [] };
        if (request.timers.length > 0) await store.commit({ owner: fence.owner, next, commits }, after);
      },
    }),
  },
  {
    name: 'duplicates remembered outside the commit',
    inDefinition(definition, world) {
      const remembered = memoryOf(world, definition.name);
      return {
        ...definition,
        step(item, evidence) {
          if (item.cause.kind === 'timer') return definition.step(item, evidence);
          const id = `${item.context.key} ${item.cause.input.id}`;
          if (remembered.has(id)) return { state: item.state, outputs: [] };
          remembered.set(id, true);
          return definition.step(item, evidence);
        },
      };
    },
  },
  {
    name: 'positions not checked downstream',
    inLog: (log) => ({
      ...log,
      startConsumer: (options, handlers) =>
        log.startConsumer(options, {
          ...handlers,
          onRecords: (partition, records) => handlers.onRecords(partition, records.map(withoutPosition)),
        }),
    }),
  },
  {
    name: 'outputs coalesced by batch',
    inStore: (store) => ({
      ...store,
      commit: (fence, request) =>
        store.commit(fence, {
          ...request,
          outbox: request.outbox && {
            ...request.outbox,
            bytes: encodeOutbox(coalesce(decodeOutbox(request.outbox.bytes))),
          },
        }),
    }),
    inLog: (log) => ({
      ...log,
      async createProducer(options) {
        const producer = await log.createProducer(options);
        return { send: (records) => producer.send(coalesce(records)), close: () => producer.close() };
      },
    }),
  },
  {
    name: 'cache kept after a refusal',
    inStore(store, { process, place }) {
      const kept = memoryOf(process, place) as Map<string, Buffer | null>;
      return {
        ...store,
        async load(fence, request) {
          const reply = await store.load(fence, request);
          const states = request.keys.map((key, i) => {
            if (!kept.has(key)) kept.set(key, reply.states[i] ?? null);
            return kept.get(key) ?? null;
          });
          return { ...reply, states };
        },
        async commit(fence, request) {
          await store.commit(fence, request);
          for (const [key, state] of request.states) kept.set(key, state);
        },
      };
    },
  },
  ...SNAPSHOT_MUTANTS,
];

/** What a broken rule remembers, beside the thing it belongs to. */
const memories = new WeakMap<object, Map<string, Map<string, unknown>>>();

function memoryOf(owner: object, place: string): Map<string, unknown> {
  const byPlace = memories.get(owner) ?? new Map<string, Map<string, unknown>>();
  memories.set(owner, byPlace);
  const memory = byPlace.get(place) ?? new Map<string, unknown>();
  byPlace.set(place, memory);
  return memory;
}

function withoutPosition<R extends { readonly headers: Readonly<Record<string, string>> }>(record: R): R {
  const { [HEADERS.position]: _position, ...headers } = record.headers;
  return { ...record, headers };
}

/** The last record of each key and place. */
function coalesce(records: readonly OutgoingRecord[]): OutgoingRecord[] {
  const last = new Map(records.map((record) => [`${record.topic}/${record.partition} ${record.key}`, record]));
  return records.filter((record) => record.key === null || [...last.values()].includes(record));
}
