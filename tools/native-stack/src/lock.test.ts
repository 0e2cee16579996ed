import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { withLock } from './lock.js';

describe('lock', () => {
  const folder = mkdtempSync(join(tmpdir(), 'perennial-test-'));
  afterAll(() => rmSync(folder, { recursive: true }));

  it('lets one in after the other', async () => {
    const path = join(folder, 'a.lock');
    let inside = 0;
    let most = 0;
    const enter = () =>
      withLock(
        path,
        async () => {
          inside++;
          most = Math.max(most, inside);
          await new Promise((resolve) => setTimeout(resolve, 5));
          inside--;
        },
        { waitMsMax: 10_000 },
      );
    await Promise.all([enter(), enter(), enter()]);
    expect(most).toBe(1);
    expect(existsSync(path)).toBe(false);
  });

  it('takes over the lock of a process that has died', async () => {
    const path = join(folder, 'b.lock');
    writeFileSync(path, JSON.stringify({ pid: process.pid, startedAt: 'long ago' }));
    expect(await withLock(path, async () => 'done', { waitMsMax: 1_000 })).toBe('done');
  });

  it('gives up after the bound and names the holder', async () => {
    const path = join(folder, 'c.lock');
    const second = () => withLock(path, async () => undefined, { waitMsMax: 100 });
    await withLock(path, () => expect(second()).rejects.toThrow(`held by process ${process.pid}`), { waitMsMax: 100 });
  });
});
