import type { CompiledFeatures } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { Cutoffs } from './cutoffs.js';
import type { JoinHistory } from './join-history.js';
import type { JoinedSpill, SpilledPart } from './joined-spill.js';
import { EXPORT_LIMITS } from './limits.js';
import { addToLabel, type KnownProfile, type Label } from './partition-fold.js';
import { toLast } from './sequence.js';

interface MergeOptions {
  readonly spec: CompiledFeatures;
  readonly cutoffs: Cutoffs;
  readonly horizonMs: number;
  readonly sequenceLength: number;
  readonly joins: JoinHistory;
  readonly spill: JoinedSpill;
  readonly onRow: (profile: KnownProfile, label: Label) => void;
  readonly signal?: AbortSignal | undefined;
}

/**
 * Makes the rows of joined profiles, each under its root, and where pairs are wanted under each key that one names: from
 * the states of all keys that were one profile at the cutoff, and from the orders of these.
 */
export async function mergeJoined(options: MergeOptions): Promise<void> {
  for (let file = 0; file < EXPORT_LIMITS.joinedFiles; file += 1) {
    options.signal?.throwIfAborted();
    const part = await options.spill.read(file);
    if (part === undefined) continue;
    for (const at of [...part.states.keys()].sort((a, b) => a - b)) mergeAt(at, part, options);
  }
}

function mergeAt(at: number, { states, orders }: SpilledPart, options: MergeOptions): void {
  const { spec, cutoffs, horizonMs, sequenceLength, joins, spill, onRow } = options;
  const cutoffMs = must(cutoffs.times[at], 'a cutoff');
  const known = must(states.get(at), 'states of a cutoff');
  const wanted = cutoffs.wanted(cutoffMs);
  const roots = new Set([...known.keys()].map((key) => joins.rootAt(key, at)));
  for (const root of roots) {
    const members = joins.membersAt(root, at);
    const parts = members.flatMap((key) => known.get(key) ?? []).map((text) => spill.decode(text));
    const engine = parts.map((part) => part.engine).reduce((merged, next) => spec.merge(merged, next));
    const { values } = spec.vector(engine, cutoffMs);
    // Stable: of events of one time, those of the root come first.
    const events = parts.flatMap((part) => part.sequence).sort((a, b) => a.timestampMs - b.timestampMs);
    const sequence = toLast(events, sequenceLength);
    for (const key of wanted === undefined ? [root] : members.filter((member) => wanted.has(member))) {
      const label = { key, cutoffMs, orders: 0, revenue: 0 };
      for (const change of members.flatMap((member) => orders.get(member) ?? [])) addToLabel(label, change, horizonMs);
      onRow({ key, cutoffMs, joined: true, values, sequence }, label);
    }
  }
}
