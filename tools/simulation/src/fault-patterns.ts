import type { Draw } from './draw.js';
import type { Fault, FaultOptions } from './fault.js';

/* Combinations of faults that do little alone, timed to interact. */

const ZOMBIE_CHANCE = 0.25;
/** From about one session timeout on. */
const ZOMBIE_MS = { from: 1700, to: 3000 };
const BACK_MS = { from: 10, to: 600 };
/** Maximum that any fail-over loses. */
export const LOST_MS_MAX = ZOMBIE_MS.to;

const LOST_MACHINE_CHANCE = 0.2;
const UNPUBLISHED_MS = { from: 100, to: 1500 };
const RELAPSE_CHANCE = 0.3;
/** While the restore runs. */
const RELAPSE_AFTER_MS = { from: 5, to: 900 };
const RELAPSES = ['empty', 'kill', 'pause', 'fail-over', 'store-trouble', 'blob-trouble'] as const;
const GONE_MS = { from: 50, to: 2500 };

const LOST_PART_CHANCE = 0.4;
/** From exactly that commit to several, of a tick or a restore. */
const LOST_PART_AFTER_MS = [
  { from: 0, to: 20 },
  { from: 0, to: 200 },
] as const;

export function drawPatterns(draw: Draw, options: FaultOptions): Fault[] {
  if (options.machinesDiffer) return [];
  return [
    ...(draw.chance(ZOMBIE_CHANCE) ? drawZombie(draw, options) : []),
    ...(draw.chance(LOST_MACHINE_CHANCE) ? drawLostMachine(draw, options) : []),
    ...(draw.chance(RELAPSE_CHANCE) ? drawRelapse(draw, options) : []),
    ...(draw.chance(LOST_PART_CHANCE) ? drawLostParts(draw, options) : []),
  ];
}

/**
 * An owner is paused until another has acquired the partition and committed. When it resumes, the store loses the
 * successor's writes, including its token. The first is the owner again, with a call in flight that was made before:
 * this is what the fences are for.
 */
function drawZombie(draw: Draw, { stages, processesPerStage, untilMs }: FaultOptions): Fault[] {
  const forMs = draw.whole(ZOMBIE_MS);
  const atMs = draw.whole({ from: 0, to: untilMs - ZOMBIE_MS.to - BACK_MS.to });
  const stage = draw.whole({ from: 0, to: stages - 1 });
  const at = { stage, process: draw.whole({ from: 0, to: processesPerStage - 1 }) };
  const backAtMs = atMs + forMs;
  const losesMs = forMs - ZOMBIE_MS.from + draw.whole({ from: 300, to: 1500 });
  return [
    { atMs, kind: 'pause', at, forMs },
    { atMs: backAtMs, kind: 'slow', forMs: BACK_MS.to },
    { atMs: backAtMs + draw.whole(BACK_MS), kind: 'fail-over', stages: [stage], losesMs, times: 1, everyMs: 0 },
  ];
}

/**
 * Store and processes of a stage fail at once while the log accepts no writes: the unpublished outputs are lost
 * everywhere.
 */
function drawLostMachine(draw: Draw, { stages, processesPerStage, untilMs }: FaultOptions): Fault[] {
  const stage = draw.whole({ from: 0, to: stages - 1 });
  const troubleMs = draw.whole(UNPUBLISHED_MS);
  const atMs = draw.whole({ from: troubleMs, to: untilMs - GONE_MS.to });
  const kills = Array.from({ length: processesPerStage }, (_, process) => {
    return { atMs, kind: 'kill' as const, at: { stage, process }, forMs: draw.whole(GONE_MS) };
  });
  return [
    { atMs: atMs - troubleMs, kind: 'publish-trouble', forMs: troubleMs },
    ...kills,
    { atMs, kind: 'empty', stages: [stage] },
  ];
}

/** Losses that the fence must detect although the offset has not moved: a part of a tick, or a restored chunk. */
function drawLostParts(draw: Draw, { stages, untilMs }: FaultOptions): Fault[] {
  return Array.from({ length: draw.whole({ from: 1, to: 3 }) }, () => ({
    kind: 'lost-part',
    atMs: draw.whole({ from: 0, to: untilMs }),
    stage: draw.whole({ from: 0, to: stages - 1 }),
    afterMs: draw.whole(draw.pick(LOST_PART_AFTER_MS)),
  }));
}

/** A store is emptied, and before it is restored another fault hits the same stage. */
function drawRelapse(draw: Draw, { stages, processesPerStage, untilMs }: FaultOptions): Fault[] {
  const stage = draw.whole({ from: 0, to: stages - 1 });
  const atMs = draw.whole({ from: 0, to: untilMs - RELAPSE_AFTER_MS.to - GONE_MS.to });
  const againAtMs = atMs + draw.whole(RELAPSE_AFTER_MS);
  const forMs = draw.whole(GONE_MS);
  const first: Fault = { atMs, kind: 'empty', stages: [stage] };
  const kind = draw.pick(RELAPSES);
  switch (kind) {
    case 'empty':
      return [first, { atMs: againAtMs, kind, stages: [stage] }];
    case 'kill':
    case 'pause':
      return [
        first,
        ...Array.from({ length: processesPerStage }, (_, process) => {
          return { atMs: againAtMs, kind, at: { stage, process }, forMs };
        }),
      ];
    case 'fail-over':
      return [first, { atMs: againAtMs, kind, stages: [stage], losesMs: draw.whole(GONE_MS), times: 1, everyMs: 0 }];
    case 'store-trouble':
    case 'blob-trouble':
      return [first, { atMs: againAtMs, kind, forMs }];
  }
}
