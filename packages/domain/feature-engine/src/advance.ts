import { AppError } from '@perennial/kernel';
import { pruneState } from './prune.js';
import type { EngineState } from './state.js';

/**
 * Time has reached `nowMs`: drops what no later vector can use. Time never goes back: for an earlier one the state is
 * returned as it is.
 */
export function advance(state: EngineState, nowMs: number): EngineState {
  if (!Number.isSafeInteger(nowMs))
    throw new AppError('contract_violation', `time ${nowMs} is not a whole number of milliseconds`);
  return nowMs <= state.asOfMs ? state : pruneState({ ...state, asOfMs: nowMs });
}
