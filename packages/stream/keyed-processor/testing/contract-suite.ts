import { beforeEach, describe, expect, it } from '@jest/globals';
import type { CommitRequest, PartitionStore, StoredProfile } from '@perennial/keyed-processor';
import { EMPTY_META, SCAN_START } from '@perennial/keyed-processor/internals';

const NOTHING: Omit<CommitRequest, 'meta'> = { states: [], timers: [], outbox: undefined, acknowledged: [] };

/** The contract of every store of a partition; run on the one in memory and on the one in Redis. */
export function describePartitionStore(name: string, open: () => Promise<PartitionStore>): void {
  describe(`partition store: ${name}`, () => {
    let store: PartitionStore;
    const fence = { owner: 'a', next: 0, commits: 0 };

    beforeEach(async () => {
      store = await open();
    });

    it('knows nothing of a partition never begun', async () => {
      expect(await store.acquire('a')).toEqual({ meta: undefined, outboxes: [] });
      expect(await store.load(fence, { keys: ['x'] })).toEqual({
        states: [null],
        timers: [],
        nextTimerAtMs: undefined,
      });
    });

    it('gives back all that a commit wrote', async () => {
      await store.acquire('a');
      const meta = {
        next: 5,
        ordinal: 2,
        commits: 3,
        logTimeMs: 1234,
        sequence: 1,
        inForce: [{ kind: 'policy', number: 3, hash: 'h' }],
        applied: { 'source/0': { offset: 7, ordinal: 1 } },
      };
      await store.commit(fence, {
        meta,
        states: [
          ['x', Buffer.from([0, 255, 1])],
          ['y', Buffer.from('why')],
        ],
        timers: [['x', 10]],
        outbox: { sequence: 1, bytes: Buffer.from([1, 0, 200]) },
        acknowledged: [],
      });
      expect(await store.acquire('b')).toEqual({ meta, outboxes: [{ sequence: 1, bytes: Buffer.from([1, 0, 200]) }] });
      const reply = await store.load({ owner: 'b', next: 5, commits: 3 }, { keys: ['y', 'none', 'x'] });
      expect(reply.states).toEqual([Buffer.from('why'), null, Buffer.from([0, 255, 1])]);
    });

    it.each([
      ['another owner', { ...fence, owner: 'b' }],
      ['another offset', { ...fence, next: 1 }],
      ['another number of commits', { ...fence, commits: 1 }],
    ])('fences %s, and changes nothing', async (_what, wrong) => {
      await store.acquire('a');
      const commit = store.commit(wrong, {
        ...NOTHING,
        meta: { ...EMPTY_META, next: 9 },
        states: [['x', Buffer.from('no')]],
      });
      await expect(commit).rejects.toMatchObject({ code: 'fenced' });
      await expect(store.load(wrong, { keys: ['x'] })).rejects.toMatchObject({ code: 'fenced' });
      expect(await store.load(fence, { keys: ['x'] })).toMatchObject({ states: [null] });
    });

    it('gives due timers in (dueAt, key) order with their states, and when the next one is due', async () => {
      await store.acquire('a');
      const states = ['a', 'b', 'c', 'd'].map((key) => [key, Buffer.from(key)] as const);
      const timers = [
        ['d', 30],
        ['b', 20],
        ['c', 10],
        ['a', 20],
      ] as const;
      await store.commit(fence, { ...NOTHING, meta: EMPTY_META, states, timers });
      const all = await store.load(fence, { keys: [], timers: { upToMs: 20, limit: 10 } });
      expect(all.timers.map(({ key, dueAtMs, state }) => [key, dueAtMs, String(state)])).toEqual([
        ['c', 10, 'c'],
        ['a', 20, 'a'],
        ['b', 20, 'b'],
      ]);
      expect(all.nextTimerAtMs).toBe(30);
      const some = await store.load(fence, { keys: [], timers: { upToMs: 20, limit: 2 } });
      expect(some.timers.map(({ key }) => key)).toEqual(['c', 'a']);
      expect(some.nextTimerAtMs).toBe(20);
    });

    it('removes states, timers and acknowledged outboxes, and keeps the others', async () => {
      await store.acquire('a');
      const outbox = (sequence: number) => ({ sequence, bytes: Buffer.from([sequence]) });
      await store.commit(fence, {
        ...NOTHING,
        meta: EMPTY_META,
        states: [['x', Buffer.from('1')]],
        timers: [['x', 1]],
        outbox: outbox(1),
      });
      await store.commit(fence, { ...NOTHING, meta: EMPTY_META, outbox: outbox(2) });
      await store.commit(fence, {
        ...NOTHING,
        meta: EMPTY_META,
        states: [['x', null]],
        timers: [['x', null]],
        acknowledged: [1],
      });
      expect((await store.acquire('a')).outboxes).toEqual([outbox(2)]);
      const reply = await store.load(fence, { keys: ['x'], timers: { upToMs: 100, limit: 10 } });
      expect(reply).toEqual({ states: [null], timers: [], nextTimerAtMs: undefined });
    });

    it('takes thousands of states, timers and keys in one call', async () => {
      await store.acquire('a');
      const keys = Array.from({ length: 5000 }, (_, i) => `key-${String(i).padStart(5, '0')}`);
      await store.commit(fence, {
        ...NOTHING,
        meta: EMPTY_META,
        states: keys.map((key) => [key, Buffer.from(key)]),
        timers: keys.map((key, i) => [key, i]),
      });
      const reply = await store.load(fence, { keys, timers: { upToMs: 1e9, limit: 4000 } });
      expect(reply.states.map(String)).toEqual(keys);
      expect(reply.timers).toHaveLength(4000);
      expect(reply.nextTimerAtMs).toBe(4000);
    });

    it('keeps the mark of a restore until a commit drops it', async () => {
      await store.acquire('a');
      await store.commit(fence, { ...NOTHING, meta: { ...EMPTY_META, restoring: 'snapshot-1' } });
      expect((await store.acquire('a')).meta).toEqual({ ...EMPTY_META, restoring: 'snapshot-1' });
      await store.commit(fence, { ...NOTHING, meta: EMPTY_META });
      expect((await store.acquire('a')).meta?.restoring).toBeUndefined();
    });

    it('scans every profile with its timer, in pages, and says where the partition stands', async () => {
      await store.acquire('a');
      const keys = Array.from({ length: 3000 }, (_, i) => `key-${String(i).padStart(5, '0')}`);
      await store.commit(fence, {
        meta: { ...EMPTY_META, next: 7, ordinal: 3, sequence: 1 },
        states: keys.map((key) => [key, Buffer.from([0, 255, key.length])]),
        timers: keys.filter((_, i) => i % 2 === 0).map((key) => [key, 1_700_000_000_123]),
        outbox: { sequence: 1, bytes: Buffer.from('owed') },
        acknowledged: [],
      });
      const seen = new Map<string, StoredProfile>();
      let pages = 0;
      for (let cursor: string | undefined = SCAN_START; cursor !== undefined; pages++) {
        const page: Awaited<ReturnType<PartitionStore['scan']>> = await store.scan(
          { owner: 'a', nextMin: 7 },
          { cursor, count: 200 },
        );
        expect(page).toMatchObject({ next: 7, ordinal: 3, outboxes: 1 });
        for (const profile of page.profiles) seen.set(profile.key, profile);
        cursor = page.cursor;
      }
      expect(pages).toBeGreaterThan(5);
      expect([...seen.keys()].sort()).toEqual(keys);
      expect(seen.get('key-00002')).toEqual({
        key: 'key-00002',
        state: Buffer.from([0, 255, 9]),
        dueAtMs: 1_700_000_000_123,
      });
      expect(seen.get('key-00003')?.dueAtMs).toBeNull();
    });

    it('peeks at named profiles, absent ones too', async () => {
      await store.acquire('a');
      await store.commit(fence, {
        ...NOTHING,
        meta: { ...EMPTY_META, next: 1 },
        states: [['x', Buffer.from('1')]],
        timers: [['x', 5]],
      });
      expect(await store.peek({ owner: 'a', nextMin: 0 }, ['gone', 'x'])).toEqual({
        next: 1,
        ordinal: 0,
        outboxes: 0,
        profiles: [
          { key: 'gone', state: null, dueAtMs: null },
          { key: 'x', state: Buffer.from('1'), dueAtMs: 5 },
        ],
      });
      expect((await store.peek({ owner: 'a', nextMin: 1 }, [])).profiles).toEqual([]);
    });

    it('fences a read of a former owner, and one of a partition that stands below', async () => {
      await store.acquire('a');
      await store.commit(fence, { ...NOTHING, meta: { ...EMPTY_META, next: 9 } });
      for (const guard of [
        { owner: 'b', nextMin: 0 },
        { owner: 'a', nextMin: 10 },
      ]) {
        await expect(store.peek(guard, ['x'])).rejects.toMatchObject({ code: 'fenced' });
        await expect(store.scan(guard, { cursor: SCAN_START, count: 1 })).rejects.toMatchObject({ code: 'fenced' });
      }
      expect(await store.peek({ owner: 'a', nextMin: 9 }, [])).toMatchObject({ next: 9 });
    });

    it('is wiped by its owner only, and then knows nothing', async () => {
      await store.acquire('a');
      await store.commit(fence, {
        meta: { ...EMPTY_META, next: 9, sequence: 1, restoring: 'snapshot-1' },
        states: [['x', Buffer.from('1')]],
        timers: [['x', 5]],
        outbox: { sequence: 1, bytes: Buffer.from('owed') },
        acknowledged: [],
      });
      await expect(store.wipe('b')).rejects.toMatchObject({ code: 'fenced' });
      expect((await store.peek({ owner: 'a', nextMin: 9 }, ['x'])).profiles[0]?.state).toEqual(Buffer.from('1'));
      await store.wipe('a');
      const reply = await store.load(fence, { keys: ['x'], timers: { upToMs: 100, limit: 10 } });
      expect(reply).toEqual({ states: [null], timers: [], nextTimerAtMs: undefined });
      expect(await store.acquire('b')).toEqual({ meta: undefined, outboxes: [] });
    });

    it('is not wiped by a call that is repeated after the partition works again', async () => {
      await store.acquire('a');
      const states = [['x', Buffer.from('1')]] as const;
      const commit = { states, timers: [], outbox: undefined, acknowledged: [] };
      await store.wipe('a');
      await store.commit(fence, { ...commit, meta: { ...EMPTY_META, next: 9, restoring: 'snapshot-1' } });
      await store.commit({ ...fence, next: 9 }, { ...commit, meta: { ...EMPTY_META, next: 9 } });
      await expect(store.wipe('a')).rejects.toMatchObject({ code: 'fenced' });
      expect((await store.peek({ owner: 'a', nextMin: 9 }, ['x'])).profiles[0]?.state).toEqual(Buffer.from('1'));
    });
  });
}
