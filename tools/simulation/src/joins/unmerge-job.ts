import { LEDGER_KEY, toParts } from '@perennial/identity';
import { isAppError, must, toMessage } from '@perennial/kernel';
import { createUnmergeTelemetry, UnmergeRunner } from '@perennial/service-feature-store';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { NAMESPACE } from '../layout.js';
import type { RestingWorld, WorkingWorld } from '../subject.js';
import { type JoinDefinition, type JoinParts, readStored } from './stored-profiles.js';

const LOOK_EVERY_MS = 400;
/** Of a record that was sent and had no effect. */
const AGAIN_MS = 5_000;
/** How far the archive may be behind the log. */
const ARCHIVE_LAG_MS_MAX = 2_000;
/** Another process does the work from now on. */
const OTHER_RUNNER_CHANCE = 0.1;

const telemetry = createUnmergeTelemetry(
  createSilentLogger(),
  createMetrics({ service: 'simulation', namespace: NAMESPACE, processMetrics: false }),
);

/** The job that parts profiles, over an archive that lags behind the log. */
export function startUnmergeJob(world: WorkingWorld, parts: JoinParts): void {
  const draw = world.draw.fork('unmerges');
  let runner = createRunner(world, parts, draw.whole({ from: 0, to: ARCHIVE_LAG_MS_MAX }));
  const look = () => {
    if (draw.chance(OTHER_RUNNER_CHANCE))
      runner = createRunner(world, parts, draw.whole({ from: 0, to: ARCHIVE_LAG_MS_MAX }));
    const next = () => void world.scheduler.schedule(LOOK_EVERY_MS, look);
    runner.run().then(next, (error: unknown) => {
      // The store cannot be read now: the job looks again.
      if (!isAppError(error)) world.jobFailures.push(toMessage(error));
      next();
    });
  };
  world.scheduler.schedule(LOOK_EVERY_MS, look);
}

function createRunner(
  world: WorkingWorld,
  { definition, artifacts, artifactStore }: JoinParts,
  lagMs: number,
): UnmergeRunner {
  const { partitions, scheduler } = world;
  const [topic = ''] = world.topics;
  /** Records of a partition that are archived. */
  const readArchived = (partition: number) =>
    world.records({ topic, partition }).filter(({ timestampMs }) => timestampMs <= scheduler.nowMs - lagMs);
  const isRestored = (partition: number) => world.contents({ stage: 0, partition }).meta?.restoring === undefined;
  return new UnmergeRunner({
    namespace: NAMESPACE,
    partitions,
    artifacts,
    definition,
    store: artifactStore,
    archive: {
      async list() {
        const logs = Array.from({ length: partitions }, (_, partition) => {
          const next = readArchived(partition).length;
          const file = { partition, first: 0, last: next - 1, name: '', day: '' };
          return [partition, { files: [file], first: 0, next, gaps: [] }] as const;
        });
        return new Map(logs);
      },
      async *readLog({ files }, end) {
        yield world.records({ topic, partition: must(files[0], 'a file').partition }).slice(0, end) as never;
      },
    },
    lease: { hold: async () => true },
    readStates: async (keys) => readStored(world, definition, keys),
    async readInForce() {
      return Array.from({ length: partitions }, (_, partition) => {
        const inForce = isRestored(partition) ? world.contents({ stage: 0, partition }).meta?.inForce : undefined;
        return new Map((inForce ?? []).map((one) => [one.kind, one]));
      });
    },
    async send(records) {
      for (const record of records) world.write(record);
    },
    telemetry,
    limits: { againMs: AGAIN_MS },
    clock: { now: () => scheduler.nowMs, steadyMs: () => scheduler.nowMs, wait: async () => undefined },
    // A turn of the real event loop has no place in virtual time.
    pause: async () => undefined,
  });
}

/** Whether an unmerge is under way or waits for its turn. */
export function isParting(world: RestingWorld, definition: JoinDefinition): boolean {
  try {
    const { node } = toParts(readStored(world, definition, [LEDGER_KEY])[0]?.state);
    return node.kind === 'ledger' && node.entries.some(({ state }) => state === 'waiting' || state === 'running');
  } catch {
    // Not restored yet, or empty.
    return false;
  }
}
