import type { StoredProfile } from '../store/store.js';
import type { RestoreProgress } from './restore-progress.js';
import { type ChunkReader, readChunksAhead } from './snapshot-chunks.js';
import type { SnapshotManifest } from './snapshot-format.js';

/**
 * What is left to do of a restore once the states at the snapshot's beginning are loaded: records are processed without
 * their outputs up to the snapshot's end, and profiles that were read later than the beginning replace what the catch-up
 * made of them at the very offset at which they were read. Until then such a profile may be anything; from then on it is exact.
 *
 * An offset is enough to say where a chunk belongs, though it may have been read in the middle of a tick: a timer that had fired by
 * then was set anew or removed by the same commit, so the tick, processed again, fires just the others. That their outputs would
 * count differently is no matter, since the snapshot's end lies above the tick.
 */
export class CatchUp {
  readonly snapshot: SnapshotManifest;
  readonly progress: RestoreProgress;
  readonly #pending: Array<{ readonly asOf: number }>;
  readonly #chunks: AsyncGenerator<readonly StoredProfile[]>;

  constructor(snapshot: SnapshotManifest, source: ChunkReader, progress: RestoreProgress) {
    this.snapshot = snapshot;
    this.progress = progress;
    const pending = snapshot.chunks.filter(({ asOf }) => asOf > snapshot.begin.next);
    this.#pending = [...pending];
    this.#chunks = readChunksAhead(source, { id: snapshot.id, chunks: pending });
  }

  /** A batch must end here: no record at or above it may be processed before `takeDue` and `isDone` were asked. */
  get cutAt(): number {
    return this.#pending[0]?.asOf ?? this.snapshot.end;
  }

  /** The next profiles that replace what is there when all records below `next` are processed; undefined for none. */
  async takeDue(next: number): Promise<readonly StoredProfile[] | undefined> {
    const first = this.#pending[0];
    if (first === undefined || first.asOf > next) return undefined;
    const chunk = await this.#chunks.next();
    this.#pending.shift();
    return chunk.value as readonly StoredProfile[];
  }

  isDone(next: number): boolean {
    return this.#pending.length === 0 && next >= this.snapshot.end;
  }
}
