import { type ArtifactStore, createArtifactCache } from '@perennial/artifacts';
import type { ProfileRef } from '@perennial/identity';
import { AppError, assert, isAppError } from '@perennial/kernel';

/** What the archive gives of both profiles of an unmerge, each below the record with which it began there. */
export interface LoadedUnmerge {
  readonly number: number;
  readonly attempt: number;
  /** Keys from the one that leaves to the profile that it leaves. */
  readonly path: readonly string[];
  /** States as they are stored; empty for none. */
  readonly leaver: Buffer;
  readonly stayer: Buffer;
}

/** It is found by its hash, and names the one before: all unmerges that are done form a list. */
export interface UnmergeDocument extends Omit<LoadedUnmerge, 'path'> {
  readonly path: readonly PathKey[];
  /** Hash of the document of the last unmerge that was done before; '' for none. */
  readonly previous: string;
}

export type PathKey = Pick<ProfileRef, 'key' | 'strength'>;

const VERSION = 1;
/** Documents kept: each is needed for two records and for the unmerges after it. */
const DOCUMENTS_MAX = 256;

/** Equal contents give equal bytes. */
export function encodeUnmerge({ number, attempt, path, previous, leaver, stayer }: UnmergeDocument): Buffer {
  const states = { leaver: leaver.toString('base64'), stayer: stayer.toString('base64') };
  const keys = path.map(({ key, strength }) => ({ key, strength }));
  return Buffer.from(`${JSON.stringify({ version: VERSION, number, attempt, path: keys, previous, ...states })}\n`);
}

/** Throws `artifact_invalid` for bytes that `encodeUnmerge` did not make. */
function decodeUnmerge(bytes: Buffer): UnmergeDocument {
  try {
    const { version, leaver, stayer, ...rest } = JSON.parse(bytes.toString()) as Raw;
    assert(version === VERSION && Array.isArray(rest.path), 'an unmerge of version 1');
    return { ...rest, leaver: Buffer.from(leaver, 'base64'), stayer: Buffer.from(stayer, 'base64') };
  } catch (cause) {
    throw new AppError('artifact_invalid', 'it is no unmerge of version 1', { cause });
  }
}

interface Raw extends Omit<UnmergeDocument, 'leaver' | 'stayer'> {
  readonly version: unknown;
  readonly leaver: string;
  readonly stayer: string;
}

/** The unmerges that records name. */
export interface Unmerges {
  /**
   * Undefined for a hash that names none: it was stored before any record named it. Throws a retriable AppError while the
   * store cannot be read.
   */
  load(hash: string): Promise<LoadedUnmerge | undefined>;
  loadDocument(hash: string): Promise<UnmergeDocument>;
}

export function createUnmerges(store: Pick<ArtifactStore, 'load'>): Unmerges {
  const loadDocument = createArtifactCache<UnmergeDocument>('unmerge', (hash) => store.load('unmerge', hash), {
    keptMax: DOCUMENTS_MAX,
    read: decodeUnmerge,
  });
  return {
    loadDocument,
    async load(hash) {
      const document = await loadDocument(hash).catch((error: unknown) => {
        if (isNone(error)) return undefined;
        throw error;
      });
      return document && { ...document, path: document.path.map(({ key }) => key) };
    },
  };
}

/** True when the store has answered that there is no such document, or the bytes are none. */
export function isNone(error: unknown): boolean {
  return isAppError(error, 'artifact_invalid') || (error instanceof AppError && isAppError(error.cause, 'not_found'));
}
