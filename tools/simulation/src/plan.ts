import { toPartition } from '@perennial/contracts';
import type { ProcessorLimits } from '@perennial/keyed-processor';
import { Draw } from './draw.js';
import type { Fault } from './fault.js';
import { drawFaults } from './faults.js';
import { drawJoinInput } from './joins/join-input.js';
import type { WorldKind } from './layout.js';
import { drawSnapshotPlan, type SnapshotPlan } from './snapshot-plan.js';
import { drawForged, drawInput, type SourceWrite } from './source.js';

/** Everything that happens in one simulated world, except delays and the results of calls. */
export interface WorldPlan {
  readonly seed: number;
  readonly kind: WorldKind;
  readonly stages: number;
  readonly processesPerStage: number;
  readonly partitions: number;
  readonly limits: Partial<ProcessorLimits>;
  /**
   * The model's bits differ between machines; then no commit may be lost, because the same records processed again
   * would give other bits.
   */
  readonly machinesDiffer: boolean;
  readonly input: readonly SourceWrite[];
  readonly faults: readonly Fault[];
  /** When the last fault is over, virtual ms. */
  readonly healAtMs: number;
  /** Undefined where they are off. */
  readonly snapshots: SnapshotPlan | undefined;
  /** At the end, at rest: the store of this stage is emptied, which must change nothing. */
  readonly lastRestore: LastRestore | undefined;
  /** At the very end, at rest: processed records are removed, which has to stop the partition visibly. */
  readonly lostTail: LostTail | undefined;
}

export interface LastRestore {
  readonly stage: number;
  /** Detected by new owners, not by those that find their store empty. */
  readonly restart: boolean;
}

export interface LostTail {
  readonly stage: number;
  readonly partition: number;
  readonly records: number;
  /** Detected by a new owner, not by the one that had processed them. */
  readonly restart: boolean;
}

/** Short compared with real ones, so that much happens; their proportions are realistic. */
const TIMES = {
  retryInitialMs: 20,
  retryMaxMs: 400,
  fencedRestMs: 200,
  groupCommitIntervalMs: 700,
  drainMs: 600,
  sessionTimeoutMs: 1500,
} as const;
const CHAOS_MS = { from: 4000, to: 9000 };
const KEYS_MAX = 6;

const LOST_TAIL_CHANCE = 0.2;
const FORGING_CHANCE = 0.3;
const LAST_RESTORE_CHANCE = 0.5;

/** One of so many worlds has profiles that join: it takes as long as some others. */
const JOINS_EVERY = 8;

export function toWorldKind(seed: number): WorldKind {
  return seed % JOINS_EVERY === 0 ? 'joins' : 'sums';
}

/** The world of a seed. */
export function drawPlan(seed: number): WorldPlan {
  return toWorldKind(seed) === 'joins' ? drawJoins(seed) : drawSums(seed);
}

/** The input of one stage has profiles that join and part. */
function drawJoins(seed: number): WorldPlan {
  const draw = new Draw(seed).fork('joins');
  const partitions = draw.whole({ from: 1, to: 4 });
  const processesPerStage = draw.chance(0.25) ? 3 : 2;
  const healAtMs = draw.whole(CHAOS_MS);
  const snapshots = drawSnapshotPlan(draw.fork('snapshots'));
  const stages = 1;
  const machinesDiffer = false;
  const hazard = snapshots?.hazard ?? 'none';
  return {
    seed,
    kind: 'joins',
    stages,
    partitions,
    processesPerStage,
    machinesDiffer,
    healAtMs,
    limits: { ...TIMES, ...drawSizes(draw) },
    input: drawJoinInput(draw.fork('input'), { partitions, untilMs: healAtMs }),
    faults: drawFaults(draw.fork('faults'), { stages, processesPerStage, machinesDiffer, hazard, untilMs: healAtMs }),
    snapshots,
    lastRestore: drawLastRestore(draw.fork('last-restore'), stages),
    lostTail: undefined,
  };
}

function drawSums(seed: number): WorldPlan {
  const draw = new Draw(seed).fork('world');
  const stages = draw.chance(0.3) ? 3 : 2;
  const partitions = draw.whole({ from: 1, to: 3 });
  const processesPerStage = draw.chance(0.25) ? 3 : 2;
  const healAtMs = draw.whole(CHAOS_MS);
  const machinesDiffer = draw.chance(0.25);
  const keys = drawKeys(draw, partitions);
  const snapshots = drawSnapshotPlan(draw.fork('snapshots'));
  const hazard = snapshots?.hazard ?? 'none';
  const outside = { keys, partitions, stages, untilMs: healAtMs };
  const forging = draw.fork('forging');
  return {
    seed,
    kind: 'sums',
    stages,
    partitions,
    processesPerStage,
    machinesDiffer,
    healAtMs,
    limits: { ...TIMES, ...drawSizes(draw) },
    input: [
      ...drawInput(draw.fork('input'), outside),
      ...(forging.chance(FORGING_CHANCE) ? drawForged(forging, outside) : []),
    ],
    faults: drawFaults(draw.fork('faults'), { stages, processesPerStage, machinesDiffer, hazard, untilMs: healAtMs }),
    snapshots,
    lastRestore: machinesDiffer ? undefined : drawLastRestore(draw.fork('last-restore'), stages),
    lostTail: draw.chance(LOST_TAIL_CHANCE) ? drawLostTail(draw, { stages, partitions }) : undefined,
  };
}

function drawLastRestore(draw: Draw, stages: number): LastRestore | undefined {
  if (!draw.chance(LAST_RESTORE_CHANCE)) return undefined;
  return { stage: draw.whole({ from: 0, to: stages - 1 }), restart: draw.chance(0.5) };
}

function drawLostTail(draw: Draw, { stages, partitions }: { stages: number; partitions: number }): LostTail {
  return {
    stage: draw.whole({ from: 0, to: stages - 1 }),
    partition: draw.whole({ from: 0, to: partitions - 1 }),
    records: draw.whole({ from: 1, to: 5 }),
    restart: draw.chance(0.5),
  };
}

function drawSizes(draw: Draw): Partial<ProcessorLimits> {
  return {
    batchItemsMax: draw.whole({ from: 1, to: 6 }),
    queueItemsMax: draw.whole({ from: 1, to: 12 }),
    timersPerLoadMax: draw.whole({ from: 1, to: 4 }),
    outboxesMax: draw.whole({ from: 1, to: 4 }),
    cacheEntriesMax: draw.pick([1, 3, 100]),
  };
}

/** A few keys; each partition has some if there are enough. */
function drawKeys(draw: Draw, partitions: number): string[] {
  const keys: string[] = [];
  for (let i = 0; keys.length < KEYS_MAX && i < 100; i++) {
    const key = `key-${draw.whole({ from: 0, to: 999 })}`;
    const alike = keys.filter((known) => toPartition(known, partitions) === toPartition(key, partitions)).length;
    if (!keys.includes(key) && alike < KEYS_MAX / partitions) keys.push(key);
  }
  return keys;
}
