import { toSha256 } from '@perennial/kernel';
import type { ModelManifest } from './manifest.js';

/** What the platform computes: the features in the order of its vectors. */
export interface KnownFeatures {
  readonly specHash: string;
  readonly names: readonly string[];
}

/** Why this file is not the one that the manifest means; empty when it is. */
export function listFileProblems({ file }: ModelManifest, bytes: Uint8Array): string[] {
  const sha256 = toSha256(bytes);
  if (sha256 === file.sha256) return [];
  return [`${file.name} has SHA-256 ${sha256}, the manifest says ${file.sha256}: the file was changed or damaged`];
}

/** Why the platform's vectors are not the rows that the model was made for; empty when they are. */
export function listFeatureProblems(manifest: ModelManifest, known: KnownFeatures): string[] {
  const problems: string[] = [];
  const { featureSpecHash, features } = manifest;
  if (featureSpecHash !== undefined && featureSpecHash !== known.specHash) {
    problems.push(`it was made for feature spec ${featureSpecHash}, this platform computes ${known.specHash}`);
  }
  const index = known.names.findIndex((name, place) => features[place]?.name !== name);
  if (index >= 0 || features.length !== known.names.length) {
    const place = index >= 0 ? index : known.names.length;
    problems.push(
      `feature ${place} must be ${known.names[place] ?? 'absent'}, the manifest has ${features[place]?.name ?? 'none'}`,
    );
  }
  return problems;
}
