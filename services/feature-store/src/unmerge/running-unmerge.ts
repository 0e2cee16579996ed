import { AcceptedRecord, encodeMessage, toPartition, toTopic, type Unmerge } from '@perennial/contracts';
import {
  LEDGER_KEY,
  type Leaving,
  type LedgerEntry,
  type ProfileNode,
  type ProfileRef,
  toParts,
} from '@perennial/identity';
import { must } from '@perennial/kernel';
import type { ReadStates } from '@perennial/keyed-processor';
import type { StoredProfile } from '../identity/stored-profile.js';
import { followPath } from './follow-path.js';

/** The ledger's unmerge, and what the keys on its way hold. */
export interface Known {
  readonly entry: LedgerEntry;
  /** Hash of the document of the one before. */
  readonly document: string;
  /** From the key that leaves to the profile that it is part of. */
  readonly path: readonly ProfileRef[];
  readonly nodes: readonly ProfileNode[];
}

/** The unmerge that is under way, once both its ends know of it. */
export interface Running extends Known {
  readonly leaving: Leaving;
  /** Offsets at which it began, of the key that leaves and of the profile that is left. */
  readonly began: readonly number[];
}

/** Undefined while there is none. Throws as `readStates` does. */
export async function findKnown(readStates: ReadStates<StoredProfile>): Promise<Known | undefined> {
  const { node } = toParts((await readStates([LEDGER_KEY]))[0]?.state);
  if (node.kind !== 'ledger') return undefined;
  const entry = node.entries.find(({ state }) => state === 'running');
  if (entry === undefined) return undefined;
  return { entry, document: node.document, ...(await followPath(readStates, entry.change.weaker)) };
}

export function toRunning(known: Known): Running | undefined {
  const { entry, path, nodes } = known;
  const [first, last] = [nodes[0]?.leaving, nodes.at(-1)?.leaving];
  const isBoth = [first, last].every((one) => one?.number === entry.number && one.attempt === entry.attempt);
  if (!isBoth || path.length < 2) return undefined;
  const began = [first, last].map((one) => must(one, 'an unmerge').offset);
  return { ...known, leaving: must(last, 'an unmerge'), began };
}

/**
 * False where an unmerge before this one has parted a key of the way: what the profile leaves now is another one than
 * somebody asked for.
 */
export function isAsked({ path, entry }: Running): boolean {
  return path.some(({ key }) => key === entry.change.stronger.key);
}

export interface UnmergeRecord {
  readonly topic: string;
  readonly partition: number;
  readonly key: Buffer;
  readonly value: Buffer;
  readonly headers: Readonly<Record<string, string>>;
}

/** A step of the unmerge for one key on its way; without one, for the ledger. */
export function toUnmergeRecord(
  { entry, path }: Known,
  step: Pick<Unmerge, 'self' | 'step' | 'number' | 'attempt'> & Partial<Pick<Unmerge, 'hash' | 'reason' | 'leaver'>>,
  { namespace, partitions }: { readonly namespace: string; readonly partitions: number },
): UnmergeRecord {
  const unmerge = { leaver: path[0], other: entry.change.stronger.key, hash: '', ...step };
  const key = step.self?.key ?? LEDGER_KEY;
  return {
    topic: toTopic(namespace, 'eventAccepted'),
    partition: toPartition(key, partitions),
    key: Buffer.from(key),
    value: encodeMessage(AcceptedRecord, { record: { $case: 'unmerge', value: unmerge } }),
    headers: {},
  };
}
