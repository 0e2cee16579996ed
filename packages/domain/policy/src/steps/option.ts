import { must, toUnitInterval } from '@perennial/kernel';
import type { ChosenOption } from '../history.js';
import { withOption } from '../options.js';
import type { Strategy } from '../policy.js';
import type { DropReason } from '../reasons.js';
import { toActionId } from './record.js';
import { dropByChannel, type StepContext } from './step.js';
import { timing } from './timing.js';

/** The strategy with one way to do it, how that was chosen, and when it is due: at once where that is undefined. */
interface Picked {
  readonly strategy: Strategy;
  readonly option?: ChosenOption;
  readonly dueAtMs: number | undefined;
}

interface Dropped {
  readonly reason: DropReason;
}

/**
 * Picks one of the chosen strategy's open options, and times it. Out are those that cannot be timed, such as by a channel whose quiet
 * hours outlast the expiry; the reason when that leaves none. A draw depends on the action's id alone, so a backfill draws
 * the same.
 */
export function pickOption(context: StepContext, strategy: Strategy, expiresAtMs: number): Picked | Dropped {
  if (strategy.options === undefined) return time(context, strategy, expiresAtMs);
  const { open, drops } = dropByChannel([strategy], (one) => {
    const timed = timing(context, one, expiresAtMs);
    return 'reason' in timed ? timed.reason : undefined;
  });
  const [drop] = drops;
  if (drop !== undefined) return { reason: drop.reason };
  const { choice, open: options } = must(open[0]?.options, 'options of a strategy that is open');
  const isDrawn = choice === 'random';
  const index = isDrawn ? Math.floor(toUnitInterval('option', toActionId(context, strategy)) * options.length) : 0;
  const option = must(options[index], 'an open option');
  const picked = time(context, withOption(strategy, option), expiresAtMs);
  const propensity = isDrawn ? 1 / options.length : 1;
  return 'reason' in picked ? picked : { ...picked, option: { name: option.name, propensity } };
}

function time(context: StepContext, strategy: Strategy, expiresAtMs: number): Picked | Dropped {
  const timed = timing(context, strategy, expiresAtMs);
  return 'reason' in timed ? timed : { strategy, dueAtMs: timed.dueAtMs };
}
