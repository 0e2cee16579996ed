import type { ServiceName } from '@perennial/launcher';
import type { ModulePatch } from './patches.js';

/** Where a process can be made to end itself, by service: the front door has no store to commit to. */
export const CRASH_POINTS = {
  ingest: ['in mid publish', 'after publish'],
  'feature-store': ['before commit', 'after commit', 'in mid publish', 'after publish'],
  scoring: ['before commit', 'after commit', 'in mid publish', 'after publish'],
  action: ['before commit', 'after commit', 'in mid publish', 'after publish'],
} as const satisfies Record<ServiceName, readonly string[]>;

/** What leads each commit and each publish through `../preload/crash-points.cjs`. */
export const CRASH_POINT_PATCHES: readonly ModulePatch[] = [
  {
    module: 'packages/stream/keyed-processor/dist/batch/commit-batch.js',
    find: 'to.store.commit(',
    replace: 'globalThis.chaosCrashPoints.commit(to.store, ',
  },
  {
    module: 'packages/stream/keyed-processor/dist/partition/publisher.js',
    find: 'this.#producer.send(records)',
    replace: 'globalThis.chaosCrashPoints.send(this.#producer, records)',
  },
  {
    module: 'services/ingest/dist/publisher.js',
    find: 'producer.send(records)',
    replace: 'globalThis.chaosCrashPoints.send(producer, records)',
  },
  {
    module: 'services/ingest/dist/kafka/door.js',
    find: 'producer.send(outgoing)',
    replace: 'globalThis.chaosCrashPoints.send(producer, outgoing)',
  },
];
