import type { Log, LogRecord, OutgoingRecord, PartitionOffsets } from '@perennial/kafka';
import { AppError, must } from '@perennial/kernel';
import { findPublishedBound, type PartitionRebuild, type RebuildStage } from '@perennial/keyed-processor';

/** Archived records of a partition, as feature-store provides them. */
export interface RebuildArchive<Range extends ArchivedRange = ArchivedRange> {
  list(): Promise<ReadonlyMap<number, Range>>;
  /** Records from the pipeline's first to those below `end`. */
  readLog(archived: Range, end: number): AsyncIterable<readonly LogRecord[]>;
}

export interface ArchivedRange {
  readonly first: number;
  readonly next: number;
  readonly gaps: ReadonlyArray<{ readonly from: number; readonly to: number }>;
}

export interface RebuildChainOptions {
  readonly namespace: string;
  readonly log: Log;
  readonly archive: RebuildArchive;
  /** In the order of the data flow; the first one reads what is archived. */
  readonly stages: readonly [RebuildStage, ...RebuildStage[]];
  /** Also rebuilds partitions that have states. */
  readonly force: boolean;
  readonly onProgress: (message: string) => void;
}

export interface RebuildSummary {
  readonly partitions: number;
  readonly records: number;
  /** Partitions that had states: left unchanged. */
  readonly left: number;
}

/** The work for one partition, planned after every partition was inspected. */
interface Plan {
  readonly partition: number;
  readonly archived: ArchivedRange;
  /** Records below this offset come from the archive, the others from the log, in normal operation. */
  readonly bound: number;
}

/**
 * Rebuilds the states of all stages from the archive: each record passes through the first stage, its outputs through
 * the next, as if they came over the topics. Nothing is published. Inspects every partition before it changes one;
 * throws an AppError that says what to do.
 */
export async function rebuildChain(options: RebuildChainOptions): Promise<RebuildSummary> {
  const { log, stages, onProgress } = options;
  const offsets = await log.offsets(stages[0].inputTopic);
  const ranges = await options.archive.list();
  const plans: Plan[] = [];
  for (const [partition, reach] of [...offsets].sort(([a], [b]) => a - b)) {
    if (await isToRebuild(options, partition)) {
      plans.push(await planPartition(options, { partition, reach, range: ranges.get(partition) }));
    }
  }
  let records = 0;
  for (const [done, plan] of plans.entries()) {
    const report = (worked: number) =>
      onProgress(`partition ${plan.partition} (${done + 1} of ${plans.length}): ${worked} of ${plan.bound} records`);
    records += await rebuildPartition(options, plan, report);
  }
  return { partitions: plans.length, records, left: offsets.size - plans.length };
}

/** States of only some stages may be of different times, which cannot be detected: an operator has to decide. */
async function isToRebuild({ stages, force }: RebuildChainOptions, partition: number): Promise<boolean> {
  const conditions = await Promise.all(stages.map((stage) => stage.look(partition)));
  // The first stage is marked first and finished last: while it is marked, a rebuild of this partition is in progress.
  if (force || conditions[0] === 'begun' || conditions.every((condition) => condition === 'absent')) return true;
  if (conditions.every((condition) => condition === 'whole')) return false;
  const states = stages.map(({ processor }, i) => `${processor} ${conditions[i]}`).join(', ');
  throw new AppError(
    'contract_violation',
    `partition ${partition} has states of some processors only (${states}): a snapshot may bring the others back when the services start; --force wipes all and rebuilds them`,
  );
}

async function planPartition(
  { log, namespace, stages }: RebuildChainOptions,
  { partition, reach, range }: { partition: number; reach: PartitionOffsets; range: ArchivedRange | undefined },
): Promise<Plan> {
  const place = `partition ${partition} of ${stages[0].inputTopic}`;
  const toError = (what: string) => new AppError('contract_violation', `${place}: ${what}`);
  const published = await findPublishedBound(log, namespace, { chain: stages, partition });
  const archived = range ?? { first: 0, next: 0, gaps: [] };
  const bound = Math.min(published, archived.next);
  if (bound > 0 && archived.first > 0)
    throw toError(
      `the archive begins at offset ${archived.first}, so the states before are unknown: copy the missing files back, or start a new namespace`,
    );
  const gap = archived.gaps.find(({ from }) => from < bound);
  if (gap !== undefined)
    throw toError(
      `the archive lacks offsets ${gap.from} to ${gap.to}: copy the missing files back, or start a new namespace`,
    );
  if (bound < reach.low)
    throw toError(
      `the archive holds the records below ${archived.next}, what they caused is known to be published below ${published}, but the log now begins at ${reach.low}: records between are gone. Restore the log, or start a new namespace`,
    );
  if (bound > reach.high)
    throw toError(
      `the archive holds the records below ${archived.next}, but the log ends at ${reach.high}: it lost its tail, or is another one. Restore the log, or start a new namespace`,
    );
  return { partition, archived, bound };
}

async function rebuildPartition(
  { log, archive, stages }: RebuildChainOptions,
  { partition, archived, bound }: Plan,
  report: (worked: number) => void,
): Promise<number> {
  const rebuilds: PartitionRebuild[] = [];
  for (const stage of stages) rebuilds.push(await stage.begin(partition));
  const handed = stages.map(() => 0);
  let worked = 0;
  report(worked);
  if (bound > 0) {
    for await (const records of archive.readLog(archived, bound)) {
      let inputs = records;
      for (const [i, rebuild] of rebuilds.entries()) {
        const outputs = await rebuild.process(inputs);
        const next = stages[i + 1];
        if (next === undefined) break;
        inputs = toInputs(outputs, { topic: next.inputTopic, partition, from: handed[i] ?? 0 });
        handed[i] = (handed[i] ?? 0) + inputs.length;
      }
      worked += records.length;
      report(worked);
    }
  }
  await finish({ log, stages, partition, bound }, rebuilds);
  return worked;
}

/** Outputs as the next stage would read them. Other outputs exist already, in a topic or in the archive. */
function toInputs(
  outputs: readonly OutgoingRecord[],
  { topic, partition, from }: { topic: string; partition: number; from: number },
): LogRecord[] {
  return outputs
    .filter((output) => output.topic === topic && output.partition === partition)
    .map((output, i) => ({ ...output, offset: from + i, timestampMs: 0 }));
}

/**
 * The first stage continues after the rebuilt records, and publishes again the outputs of later ones. The other stages
 * continue at the end of their topics, where those outputs will be. What is in the topics now was applied or comes
 * again.
 */
async function finish(
  { log, stages, partition, bound }: { log: Log; stages: readonly RebuildStage[]; partition: number; bound: number },
  rebuilds: readonly PartitionRebuild[],
): Promise<void> {
  for (let i = stages.length - 1; i > 0; i--) {
    const { inputTopic } = must(stages[i], 'a stage');
    const { high } = must((await log.offsets(inputTopic)).get(partition), `partition ${partition} of ${inputTopic}`);
    await rebuilds[i]?.finish(high);
  }
  await rebuilds[0]?.finish(bound);
}
