import { AppError, systemClock } from '@perennial/kernel';

/** Polls until the condition holds. Throws `timeout` with the text of `otherwise` after `waitMsMax`. */
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
