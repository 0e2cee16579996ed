import type { Rollout } from '@perennial/contracts';
import { AppError, isAppError, LruCache, toMessage } from '@perennial/kernel';

/** The artifacts in force at a position in the log, by kind. */
export type InForceByKind = ReadonlyMap<string, Rollout>;

/** How a service reads and checks the artifacts of one kind. */
export interface ArtifactReader<T> {
  /**
   * Throws `artifact_invalid` or `config_invalid` when the bytes themselves are invalid, so that every process of this
   * build gives the same answer. Any other error counts as a problem of this machine.
   */
  read(bytes: Buffer, hash: string): T | Promise<T>;
  /**
   * The reason why the artifact cannot come into force together with what is in force just before the rollout, such as
   * a chart that reads a feature that does not exist; undefined when it can. Throws as `read` does.
   */
  check?(value: T, inForce: InForceByKind, rollout: Rollout): Promise<string | undefined>;
  /**
   * How many parsed artifacts are kept. Each partition may have a different one in force; an evicted one is read again
   * when needed.
   */
  readonly keptMax: number;
}

/**
 * Gives the parsed artifact of a hash. Throws `artifact_invalid` for bytes that no process can use, and a retriable
 * AppError for failures that may pass.
 */
export type ArtifactCache<T> = (hash: string) => Promise<T>;

/**
 * Reads each artifact once and keeps the last `keptMax`. An evicted one is left to the garbage collector, because it
 * may still be in use. A failure is not cached.
 */
export function createArtifactCache<T>(
  kind: string,
  load: (hash: string) => Promise<Buffer>,
  reader: ArtifactReader<T>,
): ArtifactCache<T> {
  const kept = new LruCache<string, Promise<T>>({ entriesMax: reader.keptMax, sizeMax: reader.keptMax });

  async function read(hash: string): Promise<T> {
    // Any error of loading may be temporary: the store is unavailable, or the bytes are damaged or not there yet.
    const bytes = await load(hash).catch((cause: unknown) => {
      throw toUnavailable(hash, cause);
    });
    try {
      return await reader.read(bytes, hash);
    } catch (cause) {
      if (!isInvalid(cause)) throw toUnavailable(hash, cause);
      throw new AppError('artifact_invalid', `${kind} ${hash} is invalid: ${toMessage(cause)}`, { cause });
    }
  }

  function toUnavailable(hash: string, cause: unknown): AppError {
    const message = `${kind} ${hash} cannot be used: ${toMessage(cause)}`;
    return new AppError('dependency_unavailable', message, { retriable: true, cause });
  }

  return (hash) => {
    const known = kept.get(hash);
    if (known !== undefined) return known;
    const reading = read(hash).catch((cause: unknown) => {
      kept.delete(hash);
      throw cause;
    });
    kept.set(hash, reading);
    return reading;
  };
}

/** True for errors that the bytes alone cause. */
export function isInvalid(error: unknown): boolean {
  return isAppError(error, 'config_invalid') || isAppError(error, 'artifact_invalid');
}
