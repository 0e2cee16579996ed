import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from '@jest/globals';
import { readText } from './read-text.js';

const folder = mkdtempSync(join(tmpdir(), 'perennial-text-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe('the file of a command', () => {
  it('is read whole, from a pipe too', () => {
    const text = 'ä'.repeat(100_000);
    writeFileSync(join(folder, 'plan'), text);
    expect(readText(join(folder, 'plan'))).toBe(text);
    spawnSync('sh', ['-c', 'mkfifo pipe'], { cwd: folder });
    spawn('sh', ['-c', 'cat plan > pipe'], { cwd: folder, stdio: 'ignore' });
    expect(readText(join(folder, 'pipe'))).toBe(text);
  });

  it('is rejected where it never ends, is too large, is a folder, or is not there', () => {
    writeFileSync(join(folder, 'large'), Buffer.alloc(8 * 1024 * 1024 + 1));
    expect(() => readText('/dev/zero')).toThrow('cannot read /dev/zero: it has more than 8388608 bytes');
    expect(() => readText(join(folder, 'large'))).toThrow('more than 8388608 bytes');
    expect(() => readText(folder)).toThrow(/cannot read .*EISDIR/);
    expect(() => readText(join(folder, 'none'))).toThrow(/cannot read .*ENOENT/);
  });
});
