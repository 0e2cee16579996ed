import { createHash, type Hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { AppError } from '@perennial/kernel';
import { CONFIG_KINDS, CONFIGS, type ConfigKind, MIGRATING_SERVICES } from './services.js';

/** Where a namespace's configs come from: what was asked for, else the defaults of the repository. */
export function toConfigPath(root: string, kind: ConfigKind, chosen: Partial<Record<ConfigKind, string>>): string {
  return resolve(root, chosen[kind] ?? CONFIGS[kind].path);
}

/** The file or folder that ships for a kind. */
export function toDefaultPath(root: string, kind: ConfigKind): string {
  return toConfigPath(root, kind, {});
}

/** Changes when provisioning has something to do: another config, or services with other migrations. */
export function toFingerprint(
  root: string,
  { partitions, configPaths }: { partitions: number; configPaths: Partial<Record<ConfigKind, string>> },
): string {
  const hash = createHash('sha256').update(`v1 ${partitions}`);
  for (const kind of CONFIG_KINDS) addContent(hash, toConfigPath(root, kind, configPaths), kind);
  for (const service of MIGRATING_SERVICES) {
    const stamp = statSync(join(root, 'services', service, 'dist', '.tsbuildinfo'), { throwIfNoEntry: false });
    hash.update(`${service}:${stamp?.mtimeMs ?? 0}`);
  }
  return hash.digest('hex');
}

function addContent(hash: Hash, path: string, kind: ConfigKind): void {
  if (!existsSync(path)) throw new AppError('config_invalid', `there is no ${kind} at ${path}`);
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) if (statSync(file).isFile()) hash.update(`${kind} ${file}\n`).update(readFileSync(file));
}
