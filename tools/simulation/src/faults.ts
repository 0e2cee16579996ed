import type { Draw } from './draw.js';
import type { Fault, FaultOptions } from './fault.js';
import { drawPatterns } from './fault-patterns.js';

const FAULTS = { from: 0, to: 12 };
/** From shorter than a call to longer than a session timeout. */
const LASTING_MS = { from: 50, to: 3500 };
const LOST_MS = { from: 5, to: 1500 };
const FLAPPING_CHANCE = 0.4;
const FLAPS = { from: 2, to: 20 };
const FLAP_EVERY_MS = { from: 10, to: 300 };
const KINDS = [
  'kill',
  'kill',
  'pause',
  'pause',
  'cut-off',
  'stop',
  'rebalance',
  'slow',
  'store-trouble',
  'store-trouble',
  'publish-trouble',
  'fail-over',
  'fail-over',
  'empty',
  'blob-trouble',
  'blob-trouble',
  'damage',
  'damage',
  'trim',
  'trim',
] as const;

/** In this share of the worlds all faults fall into a short time, so that they interact. */
const STORM_CHANCE = 0.4;
const STORM_MS = { from: 300, to: 2500 };
/** In this share of the worlds all faults hit one stage. */
const FOCUS_CHANCE = 0.4;

/** The schedule of faults, in order of time. */
export function drawFaults(draw: Draw, options: FaultOptions): Fault[] {
  const stormMs = draw.chance(STORM_CHANCE) ? draw.whole(STORM_MS) : options.untilMs;
  const fromMs = draw.whole({ from: 0, to: options.untilMs - stormMs });
  const kinds = KINDS.filter((kind) => mayHappen(kind, options));
  const stage = draw.chance(FOCUS_CHANCE) ? draw.whole({ from: 0, to: options.stages - 1 }) : undefined;
  const count = draw.whole(FAULTS);
  const faults = Array.from({ length: count }, () =>
    drawFault(draw, draw.pick(kinds), { ...options, fromMs, toMs: fromMs + stormMs, stage }),
  );
  return [...faults, ...drawPatterns(draw, options)].sort((a, b) => a.atMs - b.atMs);
}

function mayHappen(kind: Fault['kind'], { hazard, machinesDiffer }: FaultOptions): boolean {
  if (kind === 'damage' || kind === 'trim') return kind === hazard;
  return !machinesDiffer || (kind !== 'fail-over' && kind !== 'empty');
}

/** Over within `untilMs`. */
function drawFlaps(draw: Draw, untilMs: number): { times: number; everyMs: number } {
  const everyMs = draw.whole(FLAP_EVERY_MS);
  return { times: Math.max(1, Math.min(draw.whole(FLAPS), Math.floor(untilMs / everyMs))), everyMs };
}

function drawFault(
  draw: Draw,
  kind: (typeof KINDS)[number],
  options: FaultOptions & { readonly fromMs: number; readonly toMs: number; readonly stage: number | undefined },
): Fault {
  const { stages, processesPerStage, untilMs, fromMs, toMs } = options;
  const atMs = draw.whole({ from: fromMs, to: toMs });
  const stage = options.stage ?? draw.whole({ from: 0, to: stages - 1 });
  const at = { stage, process: draw.whole({ from: 0, to: processesPerStage - 1 }) };
  const forMs = Math.min(draw.whole(LASTING_MS), untilMs - atMs);
  // One Redis shared by all stages, or one for each.
  const hit = draw.chance(0.3) ? Array.from({ length: stages }, (_, number) => number) : [stage];
  switch (kind) {
    case 'kill':
    case 'stop':
    case 'pause':
    case 'cut-off':
      return { atMs, kind, at, forMs };
    case 'rebalance':
      return { atMs, kind, stage };
    case 'fail-over':
      return {
        atMs,
        kind,
        stages: hit,
        losesMs: draw.whole(LOST_MS),
        ...drawFlaps(draw, draw.chance(FLAPPING_CHANCE) ? untilMs - atMs : 0),
      };
    case 'empty':
      return { atMs, kind, stages: hit };
    case 'slow':
    case 'store-trouble':
    case 'publish-trouble':
    case 'blob-trouble':
      return { atMs, kind, forMs };
    case 'damage':
    case 'trim':
      return { atMs, kind, stage };
  }
}
