import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import type { CommitRequest, PartitionStore } from '@perennial/keyed-processor';
import { EMPTY_META } from '@perennial/keyed-processor/internals';
import { Scheduler } from './scheduler.js';
import { SERVER_MUTANTS } from './server-mutants.js';
import { StoreServer } from './store-server.js';

/*
 * The offset check compensates for a missing owner check so well that thousands of simulated worlds do not reveal it.
 * The owner check is needed because numbers of outboxes are reused after a failover, and a zombie at the right offset,
 * after as many commits as its successor, overwrites one.
 */

const atServer = must(SERVER_MUTANTS['owner-not-checked'].atServer, 'the mutant');

/** A commit of one or more records, the partition's nth, with an outbox that names them if it has a number. */
function commitOf(range: { from: number; to: number; commits: number; sequence?: number }): CommitRequest {
  const { from, to, commits, sequence = 0 } = range;
  const bytes = Buffer.from(`outputs of ${from} to ${to - 1}`);
  const outbox = sequence === 0 ? undefined : { sequence, bytes };
  return { meta: { ...EMPTY_META, next: to, commits, sequence }, states: [], timers: [], outbox, acknowledged: [] };
}

/**
 * Of three records only the last has no output. One owner commits two of them, then one, and a failover loses that;
 * another owner commits one, then two; the first owner continues.
 */
async function runZombie(toStore: (server: StoreServer) => Pick<PartitionStore, 'acquire' | 'commit'>) {
  const scheduler = new Scheduler();
  const server = new StoreServer(scheduler);
  const store = toStore(server);
  await store.acquire('zombie');
  await scheduler.runUntil(10);
  await store.commit({ owner: 'zombie', next: 0, commits: 0 }, commitOf({ from: 0, to: 2, commits: 1, sequence: 1 }));
  await store.commit({ owner: 'zombie', next: 2, commits: 1 }, commitOf({ from: 2, to: 3, commits: 2 }));
  server.failOver(5);
  await store.acquire('successor');
  const first = commitOf({ from: 0, to: 1, commits: 1, sequence: 1 });
  await store.commit({ owner: 'successor', next: 0, commits: 0 }, first);
  const second = commitOf({ from: 1, to: 3, commits: 2, sequence: 2 });
  await store.commit({ owner: 'successor', next: 1, commits: 1 }, second);
  const late = commitOf({ from: 3, to: 4, commits: 3, sequence: 2 });
  const results = await Promise.allSettled([store.commit({ owner: 'zombie', next: 3, commits: 2 }, late)]);
  const { outboxes } = await server.acquire('next');
  return { status: results[0]?.status, owed: outboxes.map(({ bytes }) => String(bytes)) };
}

describe('the owner check', () => {
  it('fences a zombie that stands at the right offset', async () => {
    const { status, owed } = await runZombie((server) => server);
    expect(status).toBe('rejected');
    expect(owed).toEqual(['outputs of 0 to 0', 'outputs of 1 to 2']);
  });

  it('is what keeps its outbox from taking the place of one that is owed', async () => {
    let broken = 0;
    const { status, owed } = await runZombie((server) => atServer(server, () => broken++));
    expect(broken).toBe(1);
    expect(status).toBe('fulfilled');
    expect(owed).toEqual(['outputs of 0 to 0', 'outputs of 3 to 3']);
  });
});
