import { type AmountDefinition, isMoney } from './definition.js';
import { isWorthMeasure } from './event.js';

/** True when a measure means what an order is worth, in whichever field that was found. */
export function isOfWorth(definition: AmountDefinition): boolean {
  const isOfMoney = isMoney(definition) || definition.event?.currency !== undefined;
  return isOfMoney && isWorthMeasure(definition.measure.properties);
}
