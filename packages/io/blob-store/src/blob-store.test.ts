import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { describeBlobStore } from '@perennial/blob-store/contract-suite';
import { MemoryBlobStore } from '@perennial/blob-store/testing';
import { createFolderBlobStore } from './folder-blob-store.js';

const root = mkdtempSync(join(tmpdir(), 'blob-store-'));
let opened = 0;
const nextFolder = () => join(root, String(opened++), 'not', 'yet', 'there');

afterAll(() => rmSync(root, { recursive: true, force: true }));

describeBlobStore('memory', async () => new MemoryBlobStore());
describeBlobStore('folder', async () => createFolderBlobStore(nextFolder()));

describe('a blob folder', () => {
  it('leaves no unfinished file behind, and lists none that a crash left', async () => {
    const folder = nextFolder();
    const store = createFolderBlobStore(folder);
    await store.put('a/b', Buffer.from('x'));
    expect(readdirSync(join(folder, 'a'))).toEqual(['b']);
    writeFileSync(join(folder, 'a', '.0123456789abcdef'), 'half');
    expect(await store.list('')).toEqual(['a/b']);
  });

  it('says what it could not do, and that it may be tried again', async () => {
    const folder = nextFolder();
    const store = createFolderBlobStore(folder);
    await store.put('a', Buffer.from('x'));
    await expect(store.put('a/b', Buffer.from('x'))).rejects.toMatchObject({
      code: 'dependency_unavailable',
      retriable: true,
      message: expect.stringContaining('write a/b'),
    });
  });
});
