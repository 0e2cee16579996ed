import { beforeEach, describe, expect, it } from '@jest/globals';
import type { StreamingBlobStore } from '@perennial/blob-store';
import { must } from '@perennial/kernel';

/** What every blob store must do; `open` returns an empty one. */
export function describeBlobStore(name: string, open: () => Promise<StreamingBlobStore>): void {
  describe(`blob store: ${name}`, () => {
    let store: StreamingBlobStore;

    beforeEach(async () => {
      store = await open();
    });

    it('gives back the bytes that were put, whatever they are', async () => {
      const bytes = Buffer.from(Array.from({ length: 70_000 }, (_, i) => (i * 7919) % 256));
      await store.put('a/b/c.bin', bytes);
      await store.put('empty', Buffer.alloc(0));
      await store.put('day=2026-11-24/p0', Buffer.from('x'));
      expect((await store.get('a/b/c.bin'))?.equals(bytes)).toBe(true);
      expect(await store.get('empty')).toEqual(Buffer.alloc(0));
      expect(await store.list('day=2026-11-24/')).toEqual(['day=2026-11-24/p0']);
    });

    it('gives the bytes piece by piece, and stops when nobody wants more', async () => {
      const bytes = Buffer.alloc(3_000_000, 'perennial');
      await store.put('large', bytes);
      const pieces: Buffer[] = [];
      for await (const piece of must(await store.read('large'), 'the object')) pieces.push(piece);
      expect(Buffer.concat(pieces).equals(bytes)).toBe(true);
      for await (const piece of must(await store.read('large'), 'the object')) {
        expect(bytes.subarray(0, piece.length).equals(piece)).toBe(true);
        break;
      }
      expect(await store.read('none')).toBeUndefined();
    });

    it('knows nothing of what was not put', async () => {
      await store.put('a/b', Buffer.from('x'));
      expect(await store.get('a/c')).toBeUndefined();
      expect(await store.get('z')).toBeUndefined();
      expect(await store.list('z/')).toEqual([]);
    });

    it('lists by prefix, ascending, whole segments only', async () => {
      for (const key of ['p/10', 'p/2/x', 'p/1', 'pq/1', 'o']) await store.put(key, Buffer.from(key));
      expect(await store.list('p/')).toEqual(['p/1', 'p/10', 'p/2/x']);
      expect(await store.list('p/2/')).toEqual(['p/2/x']);
      expect(await store.list('')).toEqual(['o', 'p/1', 'p/10', 'p/2/x', 'pq/1']);
    });

    it('lists more than one page of objects', async () => {
      const keys = Array.from({ length: 1100 }, (_, i) => `many/${String(i).padStart(5, '0')}`);
      for (let from = 0; from < keys.length; from += 50) {
        await Promise.all(keys.slice(from, from + 50).map((key) => store.put(key, Buffer.from(key))));
      }
      expect(await store.list('many/')).toEqual(keys);
    }, 60_000);

    it('takes the same object twice, and deletes what is there and what is not', async () => {
      await store.put('twice', Buffer.from('same'));
      await store.put('twice', Buffer.from('same'));
      expect(await store.get('twice')).toEqual(Buffer.from('same'));
      await store.delete('twice');
      await store.delete('twice');
      expect(await store.get('twice')).toBeUndefined();
      expect(await store.list('')).toEqual([]);
    });

    it.each(['', '/a', 'a/', 'a//b', '../a', 'a/../b', 'a/.b', 'a/=b', 'a b', 'ä', 'x'.repeat(901)])(
      'rejects the key %j',
      async (key) => {
        await expect((async () => store.put(key, Buffer.from('x')))()).rejects.toMatchObject({
          code: 'contract_violation',
        });
      },
    );

    it('rejects a prefix that is no folder', async () => {
      await expect((async () => store.list('p'))()).rejects.toMatchObject({ code: 'contract_violation' });
    });
  });
}
