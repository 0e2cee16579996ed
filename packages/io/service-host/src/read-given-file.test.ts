import { mkdtempSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from '@jest/globals';
import { readGivenFile } from './read-given-file.js';

describe('readGivenFile', () => {
  let folder: string;

  beforeAll(() => {
    folder = mkdtempSync(join(tmpdir(), 'given-file-'));
  });

  afterAll(() => rmSync(folder, { recursive: true }));

  it('reads a file, and says which one it cannot read and why', async () => {
    const file = join(folder, 'policy.yaml');
    writeFileSync(file, 'version: 1');
    expect(String(await readGivenFile(file))).toBe('version: 1');
    await expect(readGivenFile(folder)).rejects.toMatchObject({ code: 'config_invalid', message: /not a file/ });
    await expect(readGivenFile('/dev/zero')).rejects.toMatchObject({ message: /\/dev\/zero: it is not a file/ });
    await expect(readGivenFile(join(folder, 'none'))).rejects.toMatchObject({ message: /ENOENT/ });
    truncateSync(file, 4 * 1_048_576 + 1);
    await expect(readGivenFile(file)).rejects.toMatchObject({ message: /4194305 bytes, 4194304 at most/ });
  });
});
