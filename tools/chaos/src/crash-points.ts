import { type ServiceName, STATEFUL_SERVICE_NAMES } from '@perennial/contracts';
import type { ModulePatch } from './patches.js';

const PUBLISH_POINTS = ['in mid publish', 'after publish'];
const COMMIT_POINTS = ['before commit', 'after commit'];

/** Where a process of a service can be made to end itself; one without states has no store to commit to. */
export function listCrashPoints(service: ServiceName): readonly string[] {
  const hasStates = (STATEFUL_SERVICE_NAMES as readonly ServiceName[]).includes(service);
  return hasStates ? [...COMMIT_POINTS, ...PUBLISH_POINTS] : PUBLISH_POINTS;
}

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
