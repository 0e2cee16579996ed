import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import { readStateFile, removeStateFile, writeStateFile } from '@perennial/native-stack';

const SECRET_BYTES = 32;

/**
 * The secret of an installation, created once (mode 0600). Losing it cuts the link between profiles and external ids.
 */
export function loadSecret(stateDir: string): string {
  const path = toPath(stateDir);
  const kept = readStateFile<{ secret: string }>(path);
  if (kept !== undefined) return kept.secret;
  const secret = randomBytes(SECRET_BYTES).toString('hex');
  writeStateFile(path, { secret });
  return secret;
}

/** Removes the secret; the data that depends on it must be removed too. */
export function removeSecret(stateDir: string): void {
  removeStateFile(toPath(stateDir));
}

function toPath(stateDir: string): string {
  return join(stateDir, 'secret.json');
}
