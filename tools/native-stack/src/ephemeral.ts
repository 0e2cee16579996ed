import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { closeFolder } from './closed-folders.js';
import { isRunning } from './process-ref.js';
import { findServerUser } from './server-user.js';
import { loadStackState } from './stack-state.js';

const PREFIX = 'perennial-stack-';
const ABANDONED_AFTER_MS = 600_000;

/** A fresh home in the temporary directory that PostgreSQL's user may enter. */
export function createEphemeralHome(): string {
  const home = mkdtempSync(join(tmpdir(), PREFIX));
  closeFolder(home, { enter: findServerUser() });
  return home;
}

/** Ends and removes the ephemeral stacks of this user whose owner was killed before it could. */
export async function sweepEphemeralHomes(stop: (home: string) => Promise<void>): Promise<void> {
  for (const name of readdirSync(tmpdir()).filter((entry) => entry.startsWith(PREFIX))) {
    const home = join(tmpdir(), name);
    const stat = statSync(home, { throwIfNoEntry: false });
    if (stat === undefined || stat.uid !== process.getuid?.()) continue;
    const state = loadStackState(join(home, 'state'), 'stack');
    if (state?.owner != null && !isRunning(state.owner)) await stop(home);
    else if (state === undefined && Date.now() - stat.mtimeMs > ABANDONED_AFTER_MS)
      rmSync(home, { recursive: true, force: true });
  }
}
