import { AppError, isAppError, LruCache, toMessage } from '@perennial/kernel';

/**
 * What registered contents were read into, by hash. Throws `content_refused` for bytes that cannot be used by anyone, and a
 * retriable AppError for what may yet be had.
 */
export type ContentKeeper<T> = (hash: string) => Promise<T>;

export interface ContentSource<T> {
  /** The bytes that the hash names. Whatever it throws may pass: PostgreSQL away, a row that is damaged or not there yet. */
  load(hash: string): Promise<Buffer>;
  /**
   * What they mean. It throws `config_invalid` or `model_refused` for what the bytes alone forbid, so that every process of
   * this build says the same; anything else is a trouble of this machine.
   */
  read(content: Buffer, hash: string): T | Promise<T>;
}

/**
 * Reads each content once and keeps the last `entriesMax` ready. What was pushed out is left to the garbage collector, since
 * a use of it may be under way. A failure is not kept.
 */
export function createContentKeeper<T>(
  source: ContentSource<T>,
  { kind, entriesMax }: { readonly kind: string; readonly entriesMax: number },
): ContentKeeper<T> {
  const kept = new LruCache<string, Promise<T>>({ entriesMax, sizeMax: entriesMax });

  async function read(hash: string): Promise<T> {
    const content = await source.load(hash).catch((cause: unknown) => {
      throw toUnavailable(hash, cause);
    });
    try {
      return await source.read(content, hash);
    } catch (cause) {
      if (!isRefusal(cause)) throw toUnavailable(hash, cause);
      throw new AppError('content_refused', `${kind} ${hash} is refused: ${toMessage(cause)}`, { cause });
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

/** Why a content is refused; undefined when it can be used. What is no refusal it throws on. */
export async function findRefusal(content: Promise<unknown>): Promise<{ readonly reason: string } | undefined> {
  try {
    await content;
    return undefined;
  } catch (error) {
    if (isAppError(error, 'content_refused')) return { reason: error.message };
    throw error;
  }
}

function isRefusal(error: unknown): boolean {
  return isAppError(error, 'config_invalid') || isAppError(error, 'model_refused');
}
