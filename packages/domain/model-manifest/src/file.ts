import { toSha256 } from '@perennial/kernel';
import type { ModelManifest } from './manifest.js';

/** Reasons why this file is not the one that the manifest names; empty when it is. */
export function listFileProblems({ file }: ModelManifest, bytes: Uint8Array): string[] {
  const sha256 = toSha256(bytes);
  if (sha256 === file.sha256) return [];
  return [`${file.name} has SHA-256 ${sha256}, the manifest says ${file.sha256}: the file was changed or damaged`];
}
