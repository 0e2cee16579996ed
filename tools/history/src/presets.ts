import { AppError } from '@perennial/kernel';
import type { TimeOptions } from '@perennial/time-text';
import type { ColumnMap, HistoryColumn, RowFilter } from './column-map.js';
import type { ColumnRules } from './columns.js';

/** How the export of a shop or payment service is read. */
export interface Preset {
  /** Which export it is, as its maker calls it. */
  readonly what: string;
  readonly map: ColumnMap;
  readonly optional?: readonly HistoryColumn[];
  readonly fallback?: ColumnMap;
  readonly where?: RowFilter;
  readonly time?: TimeOptions;
}

const PURCHASE = { constant: 'purchase' } as const;

/** Column names as the exports have them; docs/HISTORY.md has the table. */
const PRESETS: Readonly<Record<string, Preset>> = {
  shopify: {
    what: 'Shopify, Orders > Export',
    map: {
      order_id: 'Name',
      user_id: { anyOf: ['Email', 'Phone'] },
      ts: 'Created at',
      event_type: PURCHASE,
      item_id: { anyOf: ['Lineitem sku', 'Lineitem name'] },
      quantity: 'Lineitem quantity',
      price: 'Lineitem price',
      order_total: 'Total',
      currency: 'Currency',
      refund_total: 'Refunded Amount',
    },
    optional: ['item_id', 'order_total', 'currency', 'refund_total'],
    where: { column: 'Financial Status', values: ['paid', 'partially_paid', 'partially_refunded', 'refunded'] },
  },
  woocommerce: {
    what: 'WooCommerce, Customer/Order/Coupon Export, one row per item',
    map: {
      order_id: 'order_id',
      user_id: { anyOf: ['customer_email', 'billing_email', 'customer_id'] },
      ts: { anyOf: ['order_date', 'date'] },
      event_type: PURCHASE,
      item_id: { anyOf: ['item_sku', 'item_product_id', 'item_name'] },
      quantity: 'item_quantity',
      value: 'item_total',
      order_total: 'order_total',
      currency: 'order_currency',
      refund_total: 'refunded_total',
    },
    optional: ['item_id', 'quantity', 'value', 'currency', 'refund_total'],
    where: {
      column: 'status',
      values: ['completed', 'processing', 'refunded', 'wc-completed', 'wc-processing', 'wc-refunded'],
    },
  },
  stripe: {
    what: 'Stripe, Payments > Export',
    map: {
      order_id: 'id',
      user_id: { anyOf: ['Customer ID', 'Customer Email'] },
      ts: { anyOf: ['Created date (UTC)', 'Created (UTC)'] },
      event_type: PURCHASE,
      order_total: 'Amount',
      currency: 'Currency',
      refund_total: 'Amount Refunded',
      refund_ts: 'Refunded date (UTC)',
    },
    optional: ['currency', 'refund_total', 'refund_ts'],
    where: { column: 'Status', values: ['paid', 'refunded', 'partially refunded', 'partial refund', 'succeeded'] },
    time: { zone: 'UTC' },
  },
  'line-items': {
    what: 'a table of order lines with unit prices',
    map: {
      order_id: 'order_id',
      user_id: { anyOf: ['user_id', 'customer_id'] },
      ts: { anyOf: ['ts', 'created_at', 'ordered_at', 'order_date'] },
      item_id: { anyOf: ['product_id', 'item_id', 'sku'] },
      quantity: 'quantity',
      price: { anyOf: ['price', 'unit_price'] },
    },
    fallback: { event_type: PURCHASE },
  },
  'retail-invoices': {
    what: 'invoice lines in which a negative quantity is a return (UCI Online Retail)',
    map: {
      order_id: { anyOf: ['InvoiceNo', 'Invoice'] },
      user_id: { anyOf: ['CustomerID', 'Customer ID'] },
      ts: 'InvoiceDate',
      event_type: { signOf: 'Quantity' },
      item_id: 'StockCode',
      quantity: 'Quantity',
      price: { anyOf: ['UnitPrice', 'Price'] },
      extra: 'Country',
    },
    optional: ['extra'],
    time: { zone: 'UTC', dateOrder: 'mdy' },
  },
};

export const PRESET_NAMES: readonly string[] = Object.keys(PRESETS);

/** The preset of a name; throws `config_invalid` when there is none. */
export function parsePreset(name: string): Preset {
  const preset = PRESETS[name];
  if (preset !== undefined && Object.hasOwn(PRESETS, name)) return preset;
  throw new AppError(
    'config_invalid',
    `there is no preset ${JSON.stringify(name)}; presets are ${PRESET_NAMES.join(', ')}`,
  );
}

/** What a preset and what was passed beside it amount to: what was passed comes first, and must be in the file. */
export function toColumnRules(
  preset: Preset | undefined,
  given: { map?: ColumnMap | undefined; where?: RowFilter | undefined },
): ColumnRules {
  const { map = {}, where } = given;
  return {
    map: { ...preset?.map, ...map },
    optional: new Set((preset?.optional ?? []).filter((column) => map[column] === undefined)),
    fallback: preset?.fallback,
    where: where ?? preset?.where,
  };
}
