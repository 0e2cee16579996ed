import type { StoredProfile } from '../store/store.js';
import type { SnapshotArchive } from './snapshot-archive.js';
import type { SnapshotChunk } from './snapshot-format.js';

export interface ChunkReader {
  readonly archive: SnapshotArchive;
  /** Number of chunks fetched ahead. */
  readonly chunksAheadMax: number;
}

/** The profiles of the chunks in order; the next chunks are prefetched. Throws as the archive does. */
export async function* readChunksAhead(
  reader: ChunkReader,
  from: { readonly id: string; readonly chunks: readonly SnapshotChunk[] },
): AsyncGenerator<readonly StoredProfile[]> {
  const fetching: Array<Promise<readonly StoredProfile[]>> = [];
  let next = 0;
  const fetchMore = () => {
    for (; next < from.chunks.length && fetching.length < reader.chunksAheadMax; next++) {
      const fetched = reader.archive.readChunk(from.id, from.chunks[next] as SnapshotChunk);
      // The error is thrown when this chunk is next, or never if the reader has stopped.
      fetched.catch(() => undefined);
      fetching.push(fetched);
    }
  };
  fetchMore();
  for (let chunk = fetching.shift(); chunk !== undefined; chunk = fetching.shift()) {
    fetchMore();
    yield await chunk;
  }
}
