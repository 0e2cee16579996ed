import type { StoredProfile } from '../store/store.js';
import type { RestoreProgress } from './restore-progress.js';
import { type ChunkReader, readChunksAhead } from './snapshot-chunks.js';
import type { SnapshotManifest } from './snapshot-format.js';

/**
 * What remains of a restore once the states at the snapshot's beginning are loaded. Records are processed without their
 * outputs up to the snapshot's end. Profiles that were read later than the beginning replace the catch-up's result at
 * exactly the offset at which they were read. Before that offset such a profile may be wrong; from then on it is exact.
 *
 * An offset is precise enough for a chunk, even if the chunk was read in the middle of a tick: a timer that had fired
 * by then was set again or removed by the same commit, so the tick, processed again, fires only the others. Their
 * outputs then get other ordinals, which does not matter, because the snapshot's end is above the tick.
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

  /** A batch must end here: call `takeDue` and `isDone` before processing any record at or above it. */
  get cutAt(): number {
    return this.#pending[0]?.asOf ?? this.snapshot.end;
  }

  /** The next profiles to put in place once all records below `next` are processed; undefined for none. */
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
