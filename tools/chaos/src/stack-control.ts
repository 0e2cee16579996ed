import { readdirSync, statSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { must, systemClock } from '@perennial/kernel';
import { describeStack, type Part, startStack, toLayout } from '@perennial/native-stack';

/** Controls the processes of the broker and the stores, to inject faults. */
export interface StackControl {
  kill(part: Part): Promise<void>;
  /** Suspends a process. */
  pause(part: Part): Promise<void>;
  resume(part: Part): Promise<void>;
  /** Starts what is not running, on the same port with the same data, and waits until it answers. */
  revive(): Promise<void>;
  /**
   * Truncates the end of Redis's append-only file, as a failover to a lagging replica would lose it. Redis must be
   * down.
   */
  loseRedisWrites(bytes: number): void;
}

const GONE_POLL_MS = 10;

export function createStackControl(at: { root: string; home: string }): StackControl {
  async function signal(part: Part, name: NodeJS.Signals): Promise<number> {
    const found = (await describeStack(at)).find((status) => status.part === part);
    const pid = must(found?.pid, `pid of ${part}`);
    process.kill(pid, name);
    return pid;
  }

  return {
    async kill(part) {
      const pid = await signal(part, 'SIGKILL');
      // The process ends a little later: until then it would count as running but not answering.
      while (isThere(pid)) await systemClock.wait(GONE_POLL_MS);
    },
    pause: async (part) => void (await signal(part, 'SIGSTOP')),
    resume: async (part) => void (await signal(part, 'SIGCONT')),
    revive: async () => void (await startStack(at)),
    loseRedisWrites(bytes) {
      const file = findAppendOnlyFile(join(toLayout(at).dataDir, 'stack', 'redis'));
      truncateSync(file, Math.max(0, statSync(file).size - bytes));
    },
  };
}

/** Redis 7 writes increments into a folder, Redis 6 one file. */
function findAppendOnlyFile(dataDir: string): string {
  const names = readdirSync(dataDir, { recursive: true }).map(String);
  const newest = names
    .filter((name) => /\.incr\.aof$|appendonly\.aof$/.test(name))
    .sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
  return join(dataDir, must(newest.at(-1), `append-only file in ${dataDir}`));
}

function isThere(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch {
    // ESRCH: the process no longer exists.
    return false;
  }
}
