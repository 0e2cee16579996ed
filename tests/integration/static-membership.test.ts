import { type ChildProcess, spawn } from 'node:child_process';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeAll, describe, expect, it } from '@jest/globals';
import { createTopics, type Log } from '@perennial/kafka';
import { createSilentLogger } from '@perennial/telemetry';
import { readTestEnvironment } from '../support/environment.js';
import { eventually } from '../support/eventually.js';
import { joinGroup } from '../support/group-member.js';
import { killChildren } from '../support/kill-children.js';
import { createRunName } from '../support/run-name.js';

const PROGRAM = join(import.meta.dirname, '../dist/fixtures/group-member.js');
const PARTITIONS = 4;

describe('a member that has a name', () => {
  const { brokers } = readTestEnvironment();
  const topic = `test.${createRunName()}`;
  const children: ChildProcess[] = [];
  const logs: Log[] = [];

  beforeAll(() =>
    createTopics({ brokers, clientId: 'test', logger: createSilentLogger() }, [
      { name: topic, partitions: PARTITIONS, retentionMs: 3_600_000, cleanup: 'delete' },
    ]),
  );
  afterEach(async () => {
    await killChildren(children.splice(0));
    await Promise.all(logs.splice(0).map((log) => log.close()));
  });

  async function joinHere(groupId: string, groupInstanceId: string): Promise<string[]> {
    const lines: string[] = [];
    logs.push(await joinGroup({ brokers, topic, groupId, groupInstanceId }, (line) => lines.push(line)));
    return lines;
  }

  function joinInProcess(groupId: string, groupInstanceId: string): { lines: string[]; kill(): Promise<void> } {
    const lines: string[] = [];
    const options = JSON.stringify({ brokers, topic, groupId, groupInstanceId });
    const child = spawn(process.execPath, [PROGRAM, options], { stdio: ['ignore', 'pipe', 'inherit'] });
    children.push(child);
    createInterface({ input: child.stdout }).on('line', (line) => lines.push(line));
    const exited = new Promise<void>((resolve) => child.once('exit', () => resolve()));
    return {
      lines,
      kill() {
        child.kill('SIGKILL');
        return exited;
      },
    };
  }

  /** Each partition is owned by one of them. */
  function shareAll(...members: ReadonlyArray<readonly string[]>): boolean {
    const owned = members.flatMap((lines) => toOwned(lines));
    return owned.sort().join() === Array.from({ length: PARTITIONS }, (_, partition) => partition).join();
  }

  it('has its partitions back when it is killed and comes again, and the others are not disturbed', async () => {
    const groupId = `${topic}.killed`;
    const other = await joinHere(groupId, 'other');
    const killed = joinInProcess(groupId, 'killed');
    await settle('both have half', () => toOwned(other).length === 2 && shareAll(other, killed.lines));
    const before = [...other];

    await killed.kill();
    const again = joinInProcess(groupId, 'killed');
    await settle('it owns something again', () => again.lines.length > 0);

    expect(again.lines).toEqual([killed.lines.at(-1)]);
    expect(other).toEqual(before);
  }, 60_000);

  it('goes on without it when another process takes the name, and says so', async () => {
    const groupId = `${topic}.taken`;
    const first = await joinHere(groupId, 'same');
    await settle('it owns all', () => shareAll(first));
    const second = await joinHere(groupId, 'same');

    await settle('both have half', () => toOwned(second).length === 2 && shareAll(first, second));

    expect(first).toContainEqual(expect.stringContaining(`another process has joined ${groupId} as same`));
    expect(second).not.toContainEqual(expect.stringContaining('another process'));
  }, 60_000);
});

function settle(what: string, check: () => boolean): Promise<void> {
  return eventually(async () => check(), { withinMs: 30_000, what });
}

/** Partitions of a member by its latest report. */
function toOwned(lines: readonly string[]): number[] {
  const last = lines.findLast((line) => /^(assigned|revoked) /.test(line));
  return last?.startsWith('assigned ') === true ? [...last.matchAll(/\d+/g)].map(Number) : [];
}
