import { createHash, type Hash } from 'node:crypto';
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { ARTIFACT_KIND_NAMES, ARTIFACT_KINDS, type ArtifactKind, SERVICE_NAMES, SERVICES } from '@perennial/contracts';
import { AppError } from '@perennial/kernel';

/** Source files of a namespace's artifacts: the requested ones, else the defaults of the repository. */
export function toArtifactPath(
  root: string,
  kind: ArtifactKind,
  chosen: Readonly<Partial<Record<ArtifactKind, string>>>,
): string {
  return resolve(root, chosen[kind] ?? ARTIFACT_KINDS[kind].defaultPath);
}

/** The default file or folder of a kind. */
export function toDefaultPath(root: string, kind: ArtifactKind): string {
  return toArtifactPath(root, kind, {});
}

/** Changes when provisioning has something to do: another artifact, or services with other migrations. */
export function toFingerprint(
  root: string,
  {
    partitions,
    token,
    artifactPaths,
  }: { partitions: number; token: string; artifactPaths: Readonly<Partial<Record<ArtifactKind, string>>> },
): string {
  const hash = createHash('sha256').update(`v2 ${partitions} ${token}`);
  for (const kind of ARTIFACT_KIND_NAMES) addContent(hash, toArtifactPath(root, kind, artifactPaths), kind);
  for (const service of SERVICE_NAMES.filter((name) => SERVICES[name].hasTables)) {
    const stamp = statSync(join(root, 'services', service, 'dist', '.tsbuildinfo'), { throwIfNoEntry: false });
    hash.update(`${service}:${stamp?.mtimeMs ?? 0}`);
  }
  return hash.digest('hex');
}

function addContent(hash: Hash, path: string, kind: ArtifactKind): void {
  if (!existsSync(path)) throw new AppError('config_invalid', `there is no ${kind} at ${path}`);
  const files = statSync(path).isDirectory()
    ? readdirSync(path)
        .sort()
        .map((name) => join(path, name))
    : [path];
  for (const file of files) if (statSync(file).isFile()) hash.update(`${kind} ${file}\n`).update(readFileSync(file));
}
