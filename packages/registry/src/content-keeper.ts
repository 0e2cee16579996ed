import { AppError, LruCache, toMessage } from '@perennial/kernel';

/** What registered contents were read into, by hash. */
export type ContentKeeper<T> = (hash: string) => Promise<T>;

/**
 * Reads each content once and keeps the last `entriesMax` ready. What was pushed out is left to the garbage collector, since
 * a use of it may be under way. A failure is not kept, and is told as retriable: the partition waits, visibly, until the
 * content that its log names can be had, and nothing is skipped.
 */
export function createContentKeeper<T>(
  read: (hash: string) => Promise<T>,
  { kind, entriesMax }: { readonly kind: string; readonly entriesMax: number },
): ContentKeeper<T> {
  const kept = new LruCache<string, Promise<T>>({ entriesMax, sizeMax: entriesMax });
  return (hash) => {
    const known = kept.get(hash);
    if (known !== undefined) return known;
    const reading = read(hash).catch((cause: unknown) => {
      kept.delete(hash);
      throw new AppError('dependency_unavailable', `${kind} ${hash} cannot be used: ${toMessage(cause)}`, {
        retriable: true,
        cause,
      });
    });
    kept.set(hash, reading);
    return reading;
  };
}
