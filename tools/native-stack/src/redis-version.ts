/** A server that speaks Redis' protocol: which, and its version. */
export interface RedisVersion {
  readonly name: 'Redis' | 'Valkey';
  readonly version: string;
}

/** Oldest release of each maintained series in which CVE-2025-49844 (code execution by Lua scripts) is fixed. */
const FIXED_IN: Readonly<Record<RedisVersion['name'], readonly string[]>> = {
  Redis: ['6.2.20', '7.2.11', '7.4.6', '8.0.4', '8.2.2'],
  Valkey: ['7.2.11', '8.0.6', '8.1.4', '9.0.0'],
};

/** What the scripts of the keyed processor need. */
const MAJOR_MIN = 6;

/** Reads the output of `--version`; undefined when it is of no such server. */
export function parseRedisVersion(output: string): RedisVersion | undefined {
  const match = /^(Redis|Valkey) server v=(\d+\.\d+\.\d+)/m.exec(output);
  return match === null ? undefined : { name: match[1] as RedisVersion['name'], version: match[2] ?? '' };
}

export function isUsable({ version }: RedisVersion): boolean {
  return (toNumbers(version)[0] ?? 0) >= MAJOR_MIN;
}

/** Whether upstream's release of this version has holes that are known; a distribution may have fixed them in its own. */
export function hasKnownHoles({ name, version }: RedisVersion): boolean {
  const series = FIXED_IN[name].find((fixed) => isSameSeries(fixed, version));
  if (series !== undefined) return compareVersions(version, series) < 0;
  const newest = FIXED_IN[name].at(-1) ?? '';
  return compareVersions(version, newest) < 0;
}

/**
 * Whether a server can read the data that another wrote last: a newer release of the same one can, and so can Valkey that
 * of Redis up to 7.2, where the two parted. Files of newer formats end an older server at its start.
 */
export function canRead(server: RedisVersion, writtenBy: RedisVersion | undefined): boolean {
  if (writtenBy === undefined) return true;
  if (server.name === writtenBy.name) return compareVersions(server.version, writtenBy.version) >= 0;
  return server.name === 'Valkey' && compareVersions(writtenBy.version, '7.3.0') < 0;
}

export function toText({ name, version }: RedisVersion): string {
  return `${name} ${version}`;
}

function isSameSeries(a: string, b: string): boolean {
  return toNumbers(a).slice(0, 2).join('.') === toNumbers(b).slice(0, 2).join('.');
}

function compareVersions(a: string, b: string): number {
  const [left, right] = [toNumbers(a), toNumbers(b)];
  for (let i = 0; i < 3; i++) {
    const difference = (left[i] ?? 0) - (right[i] ?? 0);
    if (difference !== 0) return difference;
  }
  return 0;
}

function toNumbers(version: string): number[] {
  return version.split('.').map(Number);
}
