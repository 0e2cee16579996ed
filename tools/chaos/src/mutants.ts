import { AppError } from '@perennial/kernel';
import type { ModulePatch } from './patches.js';

/** A rule of the heart, broken in the services that faults are done to: a run that does not notice proves nothing. */
export interface Mutant {
  readonly name: string;
  /** Those that show it best. */
  readonly faults: readonly string[];
  readonly patches: readonly ModulePatch[];
}

const COMMIT_BATCH = 'packages/stream/keyed-processor/dist/batch/commit-batch.js';
const DECODE_BATCH = 'packages/stream/keyed-processor/dist/batch/decode-batch.js';
const PARTITION_WORKER = 'packages/stream/keyed-processor/dist/partition/partition-worker.js';
const REDIS_SCRIPTS = 'packages/stream/keyed-processor/dist/store/redis-scripts.js';
const SNAPSHOT_WRITER = 'packages/stream/keyed-processor/dist/snapshot/snapshot-writer.js';
const FEATURE_PIPELINE = 'services/feature-store/dist/pipeline.js';

/** Every rule that can be seen broken from outside within a short run; docs/RELIABILITY.md says which cannot, and why. */
export const MUTANTS: readonly Mutant[] = [
  {
    name: 'positions-not-checked-downstream',
    faults: ['redis-emptied'],
    patches: [{ module: DECODE_BATCH, find: '!isAfter(position, last)', replace: 'false' }],
  },
  {
    name: 'outbox-not-republished',
    faults: ['kill-all-of-a-service', 'kafka-link-half-open'],
    // Taken for acknowledged: one that stayed would stop every snapshot, which is another failure.
    patches: [{ module: PARTITION_WORKER, find: 'decodeOutbox(bytes)', replace: '[]' }],
  },
  {
    name: 'outbox-dropped-before-acknowledged',
    faults: ['kill-all-of-a-service', 'kafka-link-half-open'],
    // Each commit drops the one before it.
    patches: [{ module: COMMIT_BATCH, find: 'own.publisher.peekAcknowledged()', replace: '[own.meta.sequence]' }],
  },
  {
    name: 'outputs-coalesced-by-batch',
    faults: ['overload'],
    // The last of a batch under each key and topic.
    patches: [
      {
        module: COMMIT_BATCH,
        find: 'own.restoration === undefined ? result.outputs : []',
        replace:
          'result.outputs.filter(({ key, topic }, i, all) => !key || !all.slice(i + 1).some((later) => later.topic === topic && later.key?.equals(key)))',
      },
    ],
  },
  {
    name: 'offset-not-checked',
    faults: ['redis-loses-writes'],
    patches: [
      {
        module: REDIS_SCRIPTS,
        find: " or (held[2] or '0') ~= ARGV[2] or (held[3] or '0') ~= ARGV[3]",
        replace: '',
      },
    ],
  },
  {
    name: 'cache-kept-after-refusal',
    faults: ['redis-loses-writes'],
    patches: [
      {
        module: PARTITION_WORKER,
        find: 'cache: new StateCache(limits)',
        replace: 'cache: (this.keptCache ??= new StateCache(limits))',
      },
    ],
  },
  {
    name: 'duplicates-remembered-outside-commit',
    faults: ['redis-loses-writes', 'redis-kill'],
    patches: [
      {
        module: FEATURE_PIPELINE,
        find: 'foldEvent(state, cause.input, context.logTimeMs)',
        replace: `((remembered, id) => remembered.has(id)
          ? { kind: 'repeated' }
          : (remembered.add(id), foldEvent(state, cause.input, context.logTimeMs))
        )(globalThis.remembered ??= new Set(), context.key + ' ' + cause.input.event.messageId)`,
      },
    ],
  },
  {
    name: 'timers-outside-commit',
    faults: ['kill-all-of-a-service', 'redis-link-slow'],
    patches: [
      {
        module: COMMIT_BATCH,
        find: 'to.store.commit(toFence(own), ',
        replace: `(async (fence, request) => {
          await to.store.commit(fence, { ...request, timers: [] });
          const { next, ordinal } = request.meta;
          const after = { ...request, states: [], outbox: undefined, acknowledged: [] };
          if (request.timers.length > 0) await to.store.commit({ owner: fence.owner, next, ordinal }, after);
        })(toFence(own), `,
      },
    ],
  },
  {
    name: 'snapshot-begun-after-its-states-were-read',
    faults: ['redis-emptied'],
    patches: [
      { module: SNAPSHOT_WRITER, find: 'const { meta: begin, changed }', replace: 'let { meta: begin, changed }' },
      {
        module: SNAPSHOT_WRITER,
        find: 'const end = await this.#end();',
        // Not beyond its end, which would break another rule.
        replace:
          'const end = await this.#end(); if (source.meta.next === end && source.meta.ordinal === 0) begin = source.meta;',
      },
    ],
  },
];

/** The mutant of this name. Throws `config_invalid` that lists the names there are. */
export function selectMutant(name: string): Mutant {
  const found = MUTANTS.find((mutant) => mutant.name === name);
  if (found !== undefined) return found;
  const known = MUTANTS.map((mutant) => mutant.name).join(', ');
  throw new AppError('config_invalid', `no such mutant: ${name}; there are ${known}`);
}
