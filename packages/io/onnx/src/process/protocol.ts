import type { ErrorCode } from '@perennial/kernel';

/** File descriptor of the channel to the parent. */
export const CHANNEL_FD = 3;

/** Why a graph was not opened. */
export interface Rejected {
  readonly code: ErrorCode;
  readonly message: string;
  readonly details: Readonly<Record<string, unknown>>;
}
