import { describe, expect, it } from '@jest/globals';
import { must } from '@perennial/kernel';
import { type CommitRequest, EMPTY_META } from '../store.js';
import { BREAKAGES } from './breakages.js';
import { Scheduler } from './scheduler.js';
import { StoreServer } from './store-server.js';

/*
 * The offset check covers for a missing owner check so well that thousands of simulated worlds do not show it. What it is
 * for: numbers of outboxes come again after a failover, and a zombie that stands at the right offset writes over one.
 */

const breakage = must(
  BREAKAGES.find(({ name }) => name === 'no owner check'),
  'the breakage',
);

/** A commit of one or more records, with an outbox that names them. */
function commitOf({ from, to, sequence }: { from: number; to: number; sequence: number }): CommitRequest {
  const meta = { ...EMPTY_META, next: to, sequence };
  const bytes = Buffer.from(`outputs of ${from} to ${to - 1}`);
  return { meta, states: [], timers: [], outbox: { sequence, bytes }, acknowledged: [] };
}

/** One owner commits two records at once and loses that in a failover; another commits them one by one; the first goes on. */
async function runZombie(toStore: (server: StoreServer) => Pick<StoreServer, 'acquire' | 'commit'>) {
  const scheduler = new Scheduler();
  const server = new StoreServer(scheduler);
  const store = toStore(server);
  await store.acquire('zombie');
  await scheduler.runUntil(10);
  await store.commit({ owner: 'zombie', next: 0, ordinal: 0 }, commitOf({ from: 0, to: 2, sequence: 1 }));
  server.failOver(5);
  await store.acquire('successor');
  await store.commit({ owner: 'successor', next: 0, ordinal: 0 }, commitOf({ from: 0, to: 1, sequence: 1 }));
  await store.commit({ owner: 'successor', next: 1, ordinal: 0 }, commitOf({ from: 1, to: 2, sequence: 2 }));
  const late = commitOf({ from: 2, to: 3, sequence: 2 });
  const outcome = await Promise.allSettled([store.commit({ owner: 'zombie', next: 2, ordinal: 0 }, late)]);
  const { outboxes } = await server.acquire('next');
  return { outcome: outcome[0]?.status, owed: outboxes.map(({ bytes }) => String(bytes)) };
}

describe('the owner check', () => {
  it('refuses a zombie that stands at the right offset', async () => {
    const { outcome, owed } = await runZombie((server) => server);
    expect(outcome).toBe('rejected');
    expect(owed).toEqual(['outputs of 0 to 0', 'outputs of 1 to 1']);
  });

  it('is what keeps its outbox from taking the place of one that is owed', async () => {
    const { outcome, owed } = await runZombie((server) => breakage.atServer?.(server) as StoreServer);
    expect(outcome).toBe('fulfilled');
    expect(owed).toEqual(['outputs of 0 to 0', 'outputs of 2 to 2']);
  });
});
