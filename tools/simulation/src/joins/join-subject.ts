import type { ArtifactStore } from '@perennial/artifacts';
import { AcceptedRecord, encodeControl } from '@perennial/contracts';
import { AppError, must, toSha256 } from '@perennial/kernel';
import { createParts } from '@perennial/service-feature-store';
import { createMetrics } from '@perennial/telemetry';
import { NAMESPACE, toLayout } from '../layout.js';
import type { WorldPlan } from '../plan.js';
import type { AnyDefinition, Subject } from '../subject.js';
import { findMisjoins } from './join-check.js';
import { MAIL_RULES, NOON_MS } from './join-input.js';
import { isParting, startUnmergeJob } from './unmerge-job.js';

/** Later than all ticks of a world, so that timers of windows are due. */
const LATE_MS = 30 * 86_400_000;

const metrics = createMetrics({ service: 'simulation', namespace: NAMESPACE, processMetrics: false });

/** The feature-store's own processor, and the job that parts profiles beside it. */
export function createJoinSubject(plan: Pick<WorldPlan, 'kind' | 'stages'>): Subject {
  const artifactStore = createObjects();
  const config = { secret: 'a secret of the simulator that is long enough' };
  const parts = { ...createParts({ config, namespace: NAMESPACE, metrics, artifactStore }), artifactStore };
  const definition = parts.definition as unknown as AnyDefinition;
  return {
    ...toLayout(plan),
    define: () => definition,
    encodeLateTick: (n) => encodeControl(AcceptedRecord, { kind: 'tick', timeMs: NOON_MS + n * LATE_MS }),
    toEvidence: () => async (item) => must((await must(definition.prepare, 'it prepares')([item]))[0], 'evidence'),
    findForgery: () => undefined,
    checkAll: (world) => findMisjoins(world, parts.definition),
    startJobs: (world) => startUnmergeJob(world, parts),
    isDone: (world) => !isParting(world, parts.definition),
  };
}

/** Objects are durable once they are put: faults of theirs are in worlds of sums. */
function createObjects(): ArtifactStore {
  const objects = new Map<string, Buffer>([[toSha256(MAIL_RULES), MAIL_RULES]]);
  return {
    async put(_, bytes) {
      const hash = toSha256(bytes);
      objects.set(hash, bytes);
      return hash;
    },
    async load(_, hash) {
      const bytes = objects.get(hash);
      if (bytes === undefined) throw new AppError('not_found', `there is no object ${hash}`);
      return bytes;
    },
    list: async () => [],
  };
}
