import { AppError, systemClock } from '@perennial/kernel';

/** Waits until it is done. Throws `timeout` with what `otherwise` says when it is not within `waitMsMax`. */
export async function until(
  isDone: () => boolean | Promise<boolean>,
  { pollMs, waitMsMax, otherwise }: { pollMs: number; waitMsMax: number; otherwise: () => string },
): Promise<void> {
  const deadlineMs = systemClock.now() + waitMsMax;
  while (!(await isDone())) {
    if (systemClock.now() > deadlineMs)
      throw new AppError('timeout', `not done within ${waitMsMax / 1000} s: ${otherwise()}`);
    await systemClock.wait(pollMs);
  }
}
