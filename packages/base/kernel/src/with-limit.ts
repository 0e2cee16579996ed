import { AppError } from './errors.js';

/** The answer, or AppError `dependency_unavailable` (retriable) with `message` when there is none within the limit; it may still come then. */
export function withLimit<T>(answer: Promise<T>, limit: { readonly ms: number; readonly message: string }): Promise<T> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(
      () => reject(new AppError('dependency_unavailable', limit.message, { retriable: true })),
      limit.ms,
    );
    answer.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}
