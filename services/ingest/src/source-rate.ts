import { AppError } from '@perennial/kernel';

/** Events per second of a source made without `--rate`, for each instance: far above one shop, far below what harms others. */
export const SOURCE_RATE_DEFAULT = 1_000;
const SOURCE_RATE_MAX = 1_000_000;
/** The rate of an operator's own tools, which wait for the log by themselves. */
const UNLIMITED = 'unlimited';

/** The rate of a new source: that of `--rate`, or the default without one; null means no limit. */
export function toFirstRate(rate: string | undefined): number | null {
  return rate === undefined ? SOURCE_RATE_DEFAULT : parseSourceRate(rate);
}

/** The rate that `--rate` gives a source; null means no limit. */
export function parseSourceRate(rate: string): number | null {
  if (rate === UNLIMITED) return null;
  const value = /^\d{1,9}$/.test(rate) ? Number(rate) : 0;
  if (value >= 1 && value <= SOURCE_RATE_MAX) return value;
  throw new AppError(
    'config_invalid',
    `--rate must be events per second, 1 to ${SOURCE_RATE_MAX}, or ${UNLIMITED}, not ${JSON.stringify(rate)}`,
  );
}

/** The rate as the list of sources shows it. */
export function formatSourceRate(eventsPerSecondMax: number | null): string {
  return eventsPerSecondMax === null ? UNLIMITED : `${eventsPerSecondMax}/s`;
}
