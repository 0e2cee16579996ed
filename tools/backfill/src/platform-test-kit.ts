import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Log, OutgoingRecord } from '@perennial/kafka';
import { ID_BYTES, type LedgerEntry, type RowLedger } from './row-ledger.js';

export interface FakeEvent {
  readonly messageId: string;
  readonly userId: string;
  readonly timestamp: string;
  readonly event: string;
  readonly properties: Readonly<Record<string, unknown>>;
}

/** Records of `event.accepted`, in order. */
type FakeRecord =
  | { readonly kind: 'event'; readonly event: FakeEvent }
  | { readonly kind: 'clock'; readonly to: string; readonly received: unknown };

/** How to answer one request instead of accepting it. */
type Trouble = (
  path: string,
  body: { batch?: FakeEvent[] },
) => { status: number; headers?: Record<string, string> } | 'cut' | undefined;

/** A fake ingest over HTTP that keeps its log in memory, for the tests of the backfill. */
export async function startFakePlatform() {
  const records: FakeRecord[] = [];
  const received: OutgoingRecord[] = [];
  const state: { trouble: Trouble | undefined; requests: number; mode: string } = {
    trouble: undefined,
    requests: 0,
    mode: 'events',
  };

  const handle = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    let text = '';
    for await (const chunk of request) text += chunk;
    if (request.method === 'GET') {
      const ticks = records.flatMap((record) => (record.kind === 'clock' ? [record.to] : []));
      response.end(JSON.stringify({ mode: state.mode, logTime: ticks.sort().at(-1) ?? null }));
      return;
    }
    state.requests++;
    const body = JSON.parse(text) as { batch?: FakeEvent[]; to?: string; received?: unknown };
    const trouble = state.trouble?.(request.url ?? '', body);
    if (trouble === 'cut') {
      request.socket.destroy();
      return;
    }
    if (trouble === undefined || trouble.status === 200) {
      for (const event of body.batch ?? []) records.push({ kind: 'event', event });
      if (body.to !== undefined) records.push({ kind: 'clock', to: body.to, received: body.received });
    }
    response.writeHead(trouble?.status ?? 200, { 'content-type': 'application/json', ...trouble?.headers });
    response.end('{"success":true}');
  };

  const server = createServer((request, response) => {
    handle(request, response).catch((error: unknown) => response.destroy(error as Error));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    records,
    received,
    state,
    log: createFakeLog(records, received),
    stop: () => {
      server.closeAllConnections();
      return new Promise<void>((resolve) => server.close(() => resolve()));
    },
  };
}

const PARTITIONS = 3;

/** The fake writes one tick a call; the consumers of the pipeline never lag. */
function createFakeLog(records: readonly FakeRecord[], received: OutgoingRecord[]): Log {
  const ends = (topic: string): Map<number, { low: number; high: number }> => {
    const high = (partition: number): number => {
      if (topic.endsWith('event.received.v1'))
        return received.filter((record) => record.partition === partition).length;
      if (!topic.endsWith('event.accepted.v1')) return 0;
      const ticks = records.filter(({ kind }) => kind === 'clock').length;
      return ticks + (partition === 0 ? records.length - ticks : 0);
    };
    return new Map(
      Array.from({ length: PARTITIONS }, (_, partition) => [partition, { low: 0, high: high(partition) }]),
    );
  };
  return {
    createProducer: async () => ({
      send: async (sent) => {
        received.push(...sent);
      },
      close: async () => undefined,
    }),
    startConsumer: () => Promise.reject(new Error('not needed here')),
    offsets: async (topic) => ends(topic),
    heldBack: async () => new Map(),
    groupOffsets: async (_group, topic) => new Map([...ends(topic)].map(([partition, { high }]) => [partition, high])),
    close: async () => undefined,
  };
}

/** A ledger in memory; `failing` makes appends fail. */
export function createMemoryLedger(): RowLedger & { readonly entries: LedgerEntry[]; failing: boolean } {
  const entries: LedgerEntry[] = [];
  let lastMs: number | undefined;
  const ledger = {
    entries,
    failing: false,
    summarize: async () => ({
      ids: entries.reduce((sum, { ids }) => sum + ids.length / ID_BYTES, 0),
      logTimeMs: lastMs,
    }),
    read: async function* () {
      for (const entry of entries) yield entry;
    },
    append: async (entry: LedgerEntry, logTimeMs: number) => {
      if (ledger.failing) throw new Error('the ledger is away');
      entries.push(entry);
      lastMs = Math.max(lastMs ?? logTimeMs, logTimeMs);
    },
    clear: async () => {
      entries.length = 0;
      lastMs = undefined;
    },
  };
  return ledger;
}
