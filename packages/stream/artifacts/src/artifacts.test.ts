import { describe, expect, it } from '@jest/globals';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import type { Rollout } from '@perennial/contracts';
import { AppError, toSha256 } from '@perennial/kernel';
import { createArtifactStore } from './artifact-store.js';
import { createArtifacts } from './artifacts.js';

const HASH = 'h';
const NOTHING: ReadonlyMap<string, Rollout> = new Map();
const toText = (bytes: Buffer) => bytes.toString();
const toStore = (load: (hash: string) => Promise<Buffer>) => ({ load: (_: string, hash: string) => load(hash) });
const toPolicies = (load: (hash: string) => Promise<Buffer>, read: (bytes: Buffer) => string = toText) =>
  createArtifacts<{ policy: string }>(toStore(load), { policy: { read, keptMax: 2 } });
const rollOut = (hash: string, kind = 'policy'): Rollout => ({ kind, number: 1, hash });

describe('artifacts', () => {
  it('are read once each, also for those who ask together', async () => {
    const loads: string[] = [];
    const { get } = toPolicies(async (hash) => {
      loads.push(hash);
      return Buffer.from(hash.toUpperCase());
    });
    const asked = ['a', 'b', 'a'].map((hash) => get('policy', hash));
    expect(await Promise.all(asked)).toEqual(['A', 'B', 'A']);
    await get('policy', 'a');
    expect(loads).toEqual(['a', 'b']);
    await get('policy', 'c');
    await get('policy', 'b');
    expect(loads).toEqual(['a', 'b', 'c', 'b']);
  });

  it.each([
    ['the store is away', new AppError('dependency_unavailable', 'no answer')],
    // The code is one that `read` uses for invalid bytes, but these bytes were never read.
    ['the store says so', new AppError('config_invalid', 'no answer')],
    ['the bytes in the store are damaged', new AppError('data_damaged', 'no answer')],
  ])('are waited for while their bytes may yet be had: %s', async (_, trouble) => {
    let isAway = true;
    const { get, loadRollout } = toPolicies(async () => {
      if (isAway) throw trouble;
      return Buffer.from('bytes');
    });
    const unavailable = { code: 'dependency_unavailable', retriable: true };
    await expect(get('policy', HASH)).rejects.toMatchObject({
      ...unavailable,
      message: 'policy h cannot be used: no answer',
    });
    await expect(loadRollout(rollOut(HASH), NOTHING)).rejects.toMatchObject(unavailable);
    isAway = false;
    expect(await get('policy', HASH)).toBe('bytes');
    expect(await loadRollout(rollOut(HASH), NOTHING)).toBeUndefined();
  });

  it.each(['config_invalid', 'artifact_invalid'] as const)(
    'are invalid when the bytes alone say so (%s)',
    async (code) => {
      const { get, loadRollout } = toPolicies(
        async () => Buffer.from('x'),
        () => {
          throw new AppError(code, 'line 3: no such stage');
        },
      );
      await expect(get('policy', HASH)).rejects.toMatchObject({ code: 'artifact_invalid', retriable: false });
      expect(await loadRollout(rollOut(HASH), NOTHING)).toEqual({
        reason: 'policy h is invalid: line 3: no such stage',
      });
    },
  );

  it('are waited for when this machine cannot read them', async () => {
    const { loadRollout } = toPolicies(
      async () => Buffer.from('x'),
      () => {
        throw new Error('out of memory');
      },
    );
    await expect(loadRollout(rollOut(HASH), NOTHING)).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
    });
  });

  it('are rejected when they do not fit what is in force', async () => {
    const check = async (value: string, inForce: ReadonlyMap<string, Rollout>) =>
      inForce.has(value) ? undefined : `it needs a ${value}`;
    const { loadRollout } = createArtifacts<{ policy: string }>(
      toStore(async () => Buffer.from('lifecycle')),
      { policy: { read: toText, keptMax: 2, check } },
    );
    expect(await loadRollout(rollOut(HASH), NOTHING)).toEqual({
      reason: 'policy 1 cannot come into force: it needs a lifecycle',
    });
    expect(await loadRollout(rollOut(HASH), new Map([['lifecycle', rollOut('c', 'lifecycle')]]))).toBeUndefined();
  });

  it('of kinds that a service does not read pass it by', async () => {
    const { loadRollout } = toPolicies(() => Promise.reject(new Error('not to be asked')));
    expect(await loadRollout(rollOut(HASH, 'model'), NOTHING)).toBeUndefined();
  });
});

describe('the store of artifacts', () => {
  it('gives back by hash what was put, apart by namespace and kind', async () => {
    const blobs = new MemoryBlobStore();
    const store = createArtifactStore(blobs, { namespace: 'live' });
    const hash = await store.put('policy', Buffer.from('version: 1'));
    expect(hash).toBe(toSha256('version: 1'));
    expect(await store.load('policy', hash)).toEqual(Buffer.from('version: 1'));
    await expect(store.load('lifecycle', hash)).rejects.toMatchObject({ code: 'not_found' });
    const second = await store.put('policy', Buffer.from('version: 2'));
    expect(await store.list('policy')).toEqual([hash, second].sort());
    expect(await store.list('lifecycle')).toEqual([]);
    const other = createArtifactStore(blobs, { namespace: 'other' });
    await expect(other.load('policy', hash)).rejects.toMatchObject({ code: 'not_found' });
  });

  it('never gives bytes that are not what the hash says, and has them repaired by putting them again', async () => {
    const blobs = new MemoryBlobStore();
    const store = createArtifactStore(blobs, { namespace: 'live' });
    const hash = await store.put('policy', Buffer.from('version: 1'));
    blobs.damage(`live/policy/${hash}`);
    await expect(store.load('policy', hash)).rejects.toMatchObject({
      code: 'data_damaged',
      message: `the bytes of policy ${hash} are damaged: register it again`,
    });
    await store.put('policy', Buffer.from('version: 1'));
    expect(await store.load('policy', hash)).toEqual(Buffer.from('version: 1'));
  });

  it('has a limit for each kind, and does not read on beyond it', async () => {
    const blobs = new MemoryBlobStore();
    const store = createArtifactStore(blobs, { namespace: 'live' });
    const tooLarge = Buffer.alloc(4 * 1_048_576 + 1);
    await expect(store.put('policy', tooLarge)).rejects.toMatchObject({ code: 'limit_exceeded' });
    expect(blobs.objects.size).toBe(0);
    const hash = toSha256(tooLarge);
    await blobs.put(`live/policy/${hash}`, tooLarge);
    await expect(store.load('policy', hash)).rejects.toMatchObject({ code: 'limit_exceeded' });
  });
});
