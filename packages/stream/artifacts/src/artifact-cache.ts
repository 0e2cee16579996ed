import type { Rollout } from '@perennial/contracts';
import { AppError, isAppError, LruCache, toMessage } from '@perennial/kernel';

/** What is in force at a place in the log, by kind. */
export type InForceByKind = ReadonlyMap<string, Rollout>;

/** What the bytes of one kind mean to a service. */
export interface ArtifactReader<T> {
  /**
   * Throws `artifact_invalid` or `config_invalid` for what the bytes alone forbid, so that every process of this build says
   * the same; anything else is taken for a trouble of this machine.
   */
  read(bytes: Buffer, hash: string): T | Promise<T>;
  /**
   * Why it cannot come into force beside what is in force just before the rollout, such as a chart that reads a feature which
   * there is not; undefined when it can. It throws as `read` does.
   */
  check?(value: T, inForce: InForceByKind, rollout: Rollout): Promise<string | undefined>;
  /** How many are kept ready. Each partition may have another in force; what is pushed out is read again when needed. */
  readonly keptMax: number;
}

/**
 * What was read out of an artifact, by hash. Throws `artifact_invalid` for bytes that nobody can use, and a retriable
 * AppError for what may yet be had.
 */
export type ArtifactCache<T> = (hash: string) => Promise<T>;

/**
 * Reads each artifact once and keeps the last `keptMax` ready. What was pushed out is left to the garbage collector, since
 * a use of it may be under way. A failure is not kept.
 */
export function createArtifactCache<T>(
  kind: string,
  load: (hash: string) => Promise<Buffer>,
  reader: ArtifactReader<T>,
): ArtifactCache<T> {
  const kept = new LruCache<string, Promise<T>>({ entriesMax: reader.keptMax, sizeMax: reader.keptMax });

  async function read(hash: string): Promise<T> {
    // Whatever loading throws may pass: a store that is away, bytes that are damaged or not there yet.
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

/** True for what bytes alone are to blame for. */
export function isInvalid(error: unknown): boolean {
  return isAppError(error, 'config_invalid') || isAppError(error, 'artifact_invalid');
}
