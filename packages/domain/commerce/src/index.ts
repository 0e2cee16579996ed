export { AMOUNT_MAX } from './amount.js';
export { readCurrency, UNREADABLE_CURRENCY } from './currency.js';
export { readField } from './fields.js';
export { toOrderKey } from './order-key.js';
export { convertAmount, INITIAL_RATES, parseRateTable, type RateTable } from './rate-table.js';
export { isOrderEvent, ORDER_COMPLETED, ORDER_REFUNDED, readWorth, WORTH_FIELDS } from './worth.js';
