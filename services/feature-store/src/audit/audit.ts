import { type AuditAnswer, type AuditMismatch, toTopic } from '@perennial/contracts';
import type { ArchivedLog, EventArchive } from '@perennial/event-archive';
import type { FeatureSpecs } from '@perennial/feature-engine';
import { type Log, readTopic } from '@perennial/kafka';
import { AppError, createRandomToken } from '@perennial/kernel';
import { compareServed } from './compare-served.js';
import { type CausedUpdate, Recomputation } from './recompute.js';
import { ServedSample } from './served-sample.js';

/** Records between two pauses of the event loop. */
const RECORDS_AT_ONCE = 500;
/** Mismatches that are listed; all are counted. */
const MISMATCHES_LISTED_MAX = 100;

export interface AuditResult extends AuditAnswer {
  /** Where the next round begins; undefined when this one had the last profiles in the seed's order. */
  readonly rankNext: number | undefined;
}

export interface AuditOptions {
  readonly namespace: string;
  readonly log: Log;
  readonly archive: Pick<EventArchive, 'list' | 'readLog'>;
  readonly definition: ConstructorParameters<typeof Recomputation>[0];
  readonly specs: FeatureSpecs;
  /** Profiles to audit. */
  readonly profilesMax: number;
  /** Decides which: the same seed takes the same profiles. */
  readonly seed: string;
  /** Where the round before ended. */
  readonly rankMin?: number | undefined;
}

/**
 * Compares what was served of a sample of profiles, at every position that both `feature.updated` and the archive reach,
 * with what the archive gives. Throws `data_damaged` when the archive lacks records.
 */
export async function auditFeatures(options: AuditOptions): Promise<AuditResult> {
  const { namespace, log, archive, profilesMax, seed, rankMin } = options;
  // Before the topic is read: what is archived by now was caused by then, or is beyond what the topic reaches.
  const logs = await archive.list();
  const sample = new ServedSample({ profilesMax, seed, rankMin });
  const groupId = `perennial-audit-${createRandomToken()}`;
  await readTopic(log, {
    topic: toTopic(namespace, 'featureUpdated'),
    groupId,
    onRecord: (record) => sample.take(record),
  });
  const all: AuditMismatch[] = [];
  const counts = { profiles: 0, vectors: 0, mismatches: 0 };
  for (const [partition, archived] of logs) {
    const keys = sample.keysOf(partition);
    if (keys.size === 0) continue;
    const gap = archived.first > 0 ? { from: 0, to: archived.first - 1 } : archived.gaps[0];
    if (gap !== undefined) {
      const range = `${gap.from} to ${gap.to}`;
      throw new AppError(
        'data_damaged',
        `partition ${partition}: the archive lacks offsets ${range}: nothing can be compared`,
      );
    }
    const recomputed = await recompute(options, { keys, archived });
    const reach = sample.reachOf(partition);
    const at = {
      partition,
      specs: options.specs,
      reach: { from: reach.from, to: Math.min(reach.to, archived.next - 1) },
    };
    for (const key of keys) {
      const { compared, mismatches } = compareServed(sample.updatesOf(key), recomputed.get(key) ?? [], at);
      counts.profiles += 1;
      counts.vectors += compared;
      counts.mismatches += mismatches.length;
      if (all.length < MISMATCHES_LISTED_MAX) all.push(...mismatches);
    }
  }
  return { ...counts, first: all.slice(0, MISMATCHES_LISTED_MAX), seed, rankNext: sample.rankNext };
}

async function recompute(
  { archive, definition }: AuditOptions,
  { keys, archived }: { readonly keys: ReadonlySet<string>; readonly archived: ArchivedLog },
): Promise<ReadonlyMap<string, readonly CausedUpdate[]>> {
  const recomputation = new Recomputation(definition, keys);
  const byKey = new Map<string, CausedUpdate[]>();
  for await (const records of archive.readLog(archived, archived.next)) {
    for (let from = 0; from < records.length; from += RECORDS_AT_ONCE) {
      for (const update of await recomputation.take(records.slice(from, from + RECORDS_AT_ONCE))) {
        const own = byKey.get(update.key) ?? [];
        own.push(update);
        byKey.set(update.key, own);
      }
      await new Promise((resolve) => setImmediate(resolve));
    }
  }
  return byKey;
}
