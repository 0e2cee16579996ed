import { Readable } from 'node:stream';
import { describe, expect, it } from '@jest/globals';
import { assertUsable, toWarnings } from './check-history.js';
import { parseColumnMap, parseRowFilter } from './column-map.js';
import { parseEventTypes } from './event-types.js';
import type { History } from './history.js';
import { parsePreset } from './presets.js';
import type { ReadOptions } from './read-options.js';
import { readOrders } from './read-orders.js';

/** The exports as their makers write them: names, times and repeated or empty fields are those of the real ones. */
const EXPORTS: Readonly<Record<string, { readonly lines: readonly string[]; readonly events: readonly unknown[] }>> = {
  shopify: {
    lines: [
      'Name,Email,Financial Status,Paid at,Fulfillment Status,Fulfilled at,Accepts Marketing,Currency,Subtotal,Shipping,Taxes,Total,Discount Code,Discount Amount,Shipping Method,Created at,Lineitem quantity,Lineitem name,Lineitem price,Lineitem compare at price,Lineitem sku,Lineitem requires shipping,Refunded Amount,Id,Phone',
      '#1001,ada@example.com,paid,2024-03-03 10:15:00 -0400,fulfilled,,no,USD,47.00,6.00,3.29,56.29,FALL5,5.00,Standard,2024-03-03 10:14:00 -0400,2,Fern Print,16.00,,FERN-1,true,0.00,5550000001,',
      '#1001,ada@example.com,,,,,,,,,,,,,,2024-03-03 10:14:00 -0400,1,"Bag, ""Tote""",20.00,,,true,,,',
      '#1002,bo@example.com,voided,,,,no,USD,25.00,0.00,0.00,25.00,,0.00,,2024-03-04 09:00:00 -0400,1,Mug,25.00,,MUG-1,true,0.00,5550000002,',
      '#1002,bo@example.com,,,,,,,,,,,,,,2024-03-04 09:00:00 -0400,2,Cup,5.00,,CUP-1,true,,,',
      '#1003,bo@example.com,partially_refunded,,,,no,USD,25.00,0.00,0.00,25.00,,0.00,,2024-03-05 09:00:00 -0400,1,Mug,25.00,,MUG-1,true,10.00,5550000003,',
    ],
    events: [
      [
        'Order Completed',
        'ada@example.com',
        '2024-03-03T14:14:00.000Z',
        '#1001',
        56.29,
        'USD',
        ['FERN-1', 'Bag, "Tote"'],
      ],
      ['Order Completed', 'bo@example.com', '2024-03-05T13:00:00.000Z', '#1003', 25, 'USD', ['MUG-1']],
      ['Order Refunded', 'bo@example.com', '2024-03-05T13:00:00.000Z', '#1003', 10, 'USD', undefined],
    ],
  },
  woocommerce: {
    lines: [
      'order_id,order_number,date,status,shipping_total,tax_total,discount_total,order_total,refunded_total,order_currency,payment_method,customer_id,billing_email,item_id,item_product_id,item_name,item_sku,item_quantity,item_subtotal,item_total,item_refunded',
      '71,71,2024-03-01 10:00:00 +0000,completed,5.00,0.00,0.00,45.00,0.00,EUR,bacs,7,cy@example.com,1,11,Tee,TEE-1,2,30.00,30.00,0',
      '71,71,2024-03-01 10:00:00 +0000,completed,5.00,0.00,0.00,45.00,0.00,EUR,bacs,7,cy@example.com,2,12,Sock,,1,10.00,10.00,0',
      '72,72,2024-03-02 10:00:00 +0000,cancelled,0,0,0,10.00,0.00,EUR,bacs,0,di@example.com,3,12,Sock,,1,10.00,10.00,0',
    ],
    events: [['Order Completed', 'cy@example.com', '2024-03-01T10:00:00.000Z', '71', 45, 'EUR', ['TEE-1', '12']]],
  },
  stripe: {
    lines: [
      'id,Created date (UTC),Amount,Amount Refunded,Currency,Captured,Converted Amount,Converted Amount Refunded,Converted Currency,Fee,Status,Description,Customer ID,Customer Email,Refunded date (UTC)',
      'ch_1,2024-03-01 18:37:41,"1,061.86",0.00,usd,true,1061.86,0.00,usd,33.65,Paid,,cus_1,e@example.com,',
      'ch_2,2024-03-02 08:00:00,20.00,0.00,usd,false,20.00,0.00,usd,0.00,Failed,,cus_1,e@example.com,',
      'ch_3,2024-03-03 08:00:00,30.00,30.00,eur,true,30.00,30.00,eur,1.00,Refunded,,,f@example.com,2024-03-09 12:00:00',
    ],
    events: [
      ['Order Completed', 'cus_1', '2024-03-01T18:37:41.000Z', 'ch_1', 1061.86, 'USD', undefined],
      ['Order Completed', 'f@example.com', '2024-03-03T08:00:00.000Z', 'ch_3', 30, 'EUR', undefined],
      ['Order Refunded', 'f@example.com', '2024-03-09T12:00:00.000Z', 'ch_3', 30, 'EUR', undefined],
    ],
  },
  'line-items': {
    lines: [
      'order_id,user_id,ts,product_id,quantity,price',
      'a-1,up1,2024-03-05T06:34:11Z,3262,5,10.00',
      'a-1,up1,2024-03-05T06:34:11Z,3263,2,1.10',
    ],
    events: [['Order Completed', 'up1', '2024-03-05T06:34:11.000Z', 'a-1', 52.2, undefined, ['3262', '3263']]],
  },
  'retail-invoices': {
    lines: [
      'InvoiceNo,StockCode,Description,Quantity,InvoiceDate,UnitPrice,CustomerID,Country',
      '536365,85123A,HOLDER,6,12/1/10 8:26,2.55,17850,United Kingdom',
      '536365,71053,LANTERN,1,12/1/10 8:26,3.39,17850,United Kingdom',
      'C536379,D,Discount,-1,12/1/10 9:41,27.5,14527,United Kingdom',
    ],
    events: [
      ['Order Completed', '17850', '2010-12-01T08:26:00.000Z', '536365', 18.69, undefined, ['85123A', '71053']],
      ['Order Refunded', '14527', '2010-12-01T09:41:00.000Z', 'C536379', 27.5, undefined, ['D']],
    ],
  },
};

describe('presets', () => {
  it.each(Object.keys(EXPORTS))('%s reads the export as it is', async (name) => {
    const { lines, events } = EXPORTS[name] ?? { lines: [], events: [] };
    const history = await read(lines, { preset: parsePreset(name) });
    expect(history.badRows.first).toEqual([]);
    expect(toEvents(history)).toEqual(events);
  });

  it('say which rows they leave out, and name an export that is another one', async () => {
    const lines = EXPORTS.shopify?.lines ?? [];
    const history = await read(lines, { preset: parsePreset('shopify') });
    expect(history.leftOut).toEqual({ count: 2, values: [{ value: 'voided', count: 1 }] });
    await expect(read(lines, { preset: parsePreset('stripe') })).rejects.toThrow(/no Customer ID or Customer Email/);
    expect(() => parsePreset('toString')).toThrow('there is no preset');
  });

  it('give way to what is mapped beside them', async () => {
    const map = parseColumnMap('user_id=Id,event_type="Financial Status"');
    await expect(read(EXPORTS.shopify?.lines ?? [], { preset: parsePreset('shopify'), map })).resolves.toMatchObject({
      counts: { orders: 0 },
    });
  });
});

describe('mapping', () => {
  it('is parsed with constants, quoted names, alternatives and signs', () => {
    expect(
      parseColumnMap(`user_id=Customer|"E, mail", ts="When, local",event_type='it''s',value=Amount ,price=P`),
    ).toEqual({
      user_id: { anyOf: ['Customer', 'E, mail'] },
      ts: 'When, local',
      event_type: { constant: "it's" },
      value: 'Amount',
      price: 'P',
    });
    expect(parseColumnMap('event_type=sign(Qty)')).toEqual({ event_type: { signOf: 'Qty' } });
    for (const wrong of [
      'user_id',
      '=x',
      'user_id=',
      "event_type=''x",
      'event_type=sign()',
      'user_id=a,user_id=b',
      'nope=x',
    ]) {
      expect(() => parseColumnMap(wrong)).toThrow();
    }
  });

  it('takes a unit price or the total of a row, and the total of an order once', async () => {
    const lines = (more: string) => [
      `order_id,user_id,ts,quantity,${more}`,
      'o1,u1,2024-01-01,3,10.00,25.50',
      'o1,,,2,1.00,',
    ];
    const revenueOf = async (map: string, more: string) =>
      (await read(lines(more), { map: parseColumnMap(`event_type=purchase,${map}`) })).event(0).properties.revenue;
    expect(await revenueOf('price=P', 'P,T')).toBe(32);
    expect(await revenueOf('value=P', 'P,T')).toBe(11);
    expect(await revenueOf('price=P,order_total=T', 'P,T')).toBe(25.5);
    expect(await revenueOf('price=P', 'P,order_total')).toBe(25.5);
  });

  it('gives an order one id of its rows, the same one in any sequence', async () => {
    const header = 'user_id,ts,event_type,order_id,line,value';
    const lines = ['A', 'B', 'C', 'D'].map((line) => `u,2024-01-01,purchase,o1,${line},5`);
    const read = async (rows: readonly string[]) => {
      const options = { map: parseColumnMap('id=line') };
      return (await readOrders(() => Readable.from([Buffer.from([header, ...rows].join('\n'))]), options)).event(0)
        .messageId;
    };
    const id = await read(lines);
    for (let turn = 1; turn < lines.length; turn++) {
      expect(await read([...lines.slice(turn), ...lines.slice(0, turn)])).toBe(id);
    }
  });

  it('finds rows that contradict their order', async () => {
    const { badRows, length } = await read(
      [
        'order_id,user_id,ts,event_type,order_total,currency',
        'o1,u1,2024-01-01,purchase,10.00,USD',
        'o1,u2,2024-01-01,purchase,10.00,USD',
        'o1,u1,2024-01-01,purchase,12.00,USD',
        'o1,u1,2024-01-01,purchase,10.00,EUR',
        'o2,,2024-01-01,purchase,10.00,EUR',
      ],
      {},
    );
    expect(length).toBe(1);
    expect(badRows.first.map(({ line, reason }) => [line, reason])).toEqual([
      [3, 'user_id "u2" is not "u1", as in line 2 of the same order'],
      [4, expect.stringContaining('order_total "12" is not "10"')],
      [5, 'currency "EUR" is not "USD", as in line 2 of the same order'],
      [6, 'has no user_id, and its order has no earlier line with one'],
    ]);
  });

  it('names missing and doubled columns, and suggests what to pass', async () => {
    await expect(read(['id,customer,ordered_at,total', 'o,c,2024-01-01,1'])).rejects.toThrow(
      /no user_id, ts, event_type; it has: id, customer, ordered_at, total.*--map "user_id=customer,ts=ordered_at,event_type='purchase'"/,
    );
    await expect(read(['user_id,ts,event_type,value,Value ,value', ''])).rejects.toThrow(
      '"value" in columns 4 ("value") and 6',
    );
    await expect(read(['user_id,User Id,ts,event_type', ''])).resolves.toMatchObject({ rows: 0 });
    await expect(read(['userId,User Id,ts,event_type', ''])).rejects.toThrow('columns 1 ("userId") and 2 ("User Id")');
    await expect(read(['user_id', 'x'])).rejects.toThrow('--separator');
  });

  it('keeps only the rows of a filter', async () => {
    const lines = [
      'user_id,ts,event_type,state',
      'u,2024-01-01,purchase,Paid',
      'u,2024-01-02,purchase,open',
      'u,2024-01-03,purchase,',
    ];
    const history = await read(lines, { where: parseRowFilter('state=paid|settled') });
    expect([history.length, history.leftOut.count, history.rows]).toEqual([1, 2, 3]);
    await expect(read(lines, { where: parseRowFilter('status=paid') })).rejects.toThrow('no status');
  });
});

describe('event types', () => {
  const lines = (...types: string[]) => ['user_id,ts,event_type', ...types.map((type) => `u,2024-01-01,${type}`)];

  it.each(['Purchase', 'PURCHASE', 'Order Completed', 'order_completed', 'purchased'])(
    '%s is a purchase',
    async (type) => {
      expect((await read(lines(type))).counts).toEqual({ orders: 1, refunds: 0, others: 0 });
    },
  );

  it.each(['Refund', 'Order Refunded', 'RETURN', 'returned'])('%s is a return', async (type) => {
    expect((await read(lines(type))).counts).toEqual({ orders: 0, refunds: 1, others: 0 });
  });

  it.each(['order', 'sale', 'purchse', 'purchases', 'Order Complete', 'Order Placed', 'payment'])(
    '%s is an event of its own, and said to be near one',
    async (type) => {
      const history = await read(lines(type, 'purchase'));
      expect(history.counts).toEqual({ orders: 1, refunds: 0, others: 1 });
      expect(toWarnings(history)[0]).toContain(`--types "${type}=purchase"`);
      const alone = await read(lines(type));
      expect(() => assertUsable(alone, { badShareMax: 0.5 })).toThrow(`--types "${type}=purchase"`);
      const found = await read(lines(type), { types: parseEventTypes(`${type}=purchase`) });
      expect(found.counts.orders).toBe(1);
      const own = await read(lines(type), { types: parseEventTypes(`${type}=${type}`) });
      expect(() => assertUsable(own, { badShareMax: 0.5 })).not.toThrow();
    },
  );

  it.each(['view', 'page_view', 'Product Added', 'signup', 'refer'])('%s is an event of its own', async (type) => {
    expect((await read(lines(type))).eventTypes).toEqual([expect.objectContaining({ as: type, near: undefined })]);
  });
});

describe('a file of which nothing would count', () => {
  it.each([
    [['user_id,ts,event_type'], 'a header and no rows'],
    [
      ['user_id,ts,event_type', 'u,x,purchase', 'u,12/1/2010,purchase'],
      /no row of h.csv can be read: 2 of 2.*--dates.*h.csv:2 ts "x"/s,
    ],
    [
      ['user_id,ts,event_type,s', 'u,2024-01-01,purchase,open'],
      /all 1 rows of h.csv are left out by their value "open" \(1\)/,
    ],
  ])('is named with rows and what to pass', async (lines, message) => {
    const where = lines[0]?.endsWith(',s') ? parseRowFilter('s=paid') : undefined;
    const history = await read(lines, { where });
    expect(() => assertUsable(history, { badShareMax: 0.5 })).toThrow(message);
  });
});

function read(lines: readonly string[], options: ReadOptions = {}): Promise<History> {
  return readOrders(() => Readable.from([Buffer.from(`${lines.join('\n')}\n`)]), { fileName: 'h.csv', ...options });
}

function toEvents(history: History): unknown[] {
  return Array.from({ length: history.length }, (_, index) => {
    const { event, userId, timestamp, properties } = history.event(index);
    const products = properties.products as Array<{ product_id: string }> | undefined;
    const { order_id: orderId, revenue, currency } = properties;
    return [event, userId, timestamp, orderId, revenue, currency, products?.map(({ product_id: id }) => id)];
  });
}
