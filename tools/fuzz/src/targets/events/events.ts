import { parseRateTable } from '@perennial/commerce';
import { AcceptedRecord, type EventRejected } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { foldEvent } from '@perennial/service-feature-store';
import { receiveCalls } from '@perennial/service-ingest';
import { Draw } from '../../draw.js';
import { RECEIVE_CONTEXT } from '../../receive-context.js';
import type { CaseResult, FuzzTarget } from '../../target.js';
import { OrderCount } from './count-orders.js';
import { type DrawnEvent, drawEvent, type Person, RATES, RECEIVED_AT_MS } from './draw-event.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const spec = specs.initial;
const { USD: _, ...others } = RATES;
const rates = requireValid(
  parseRateTable(JSON.stringify({ version: 1, currency: 'USD', rates: others }), { fileName: 'rates.json' }),
);

/** A request as a client sends it, through ingest's core and the feature engine: each event and each sum by itself. */
export const events: FuzzTarget = {
  description: 'events in the shapes that SDKs send: ids, times, money, repeats, junk',
  run(seed): CaseResult {
    const draw = new Draw(seed);
    const drawn = draw.list(draw.whole(1, 40), () => drawEvent(draw));
    const received = receiveCalls(
      {
        // As it arrives: undefined and -0 do not travel.
        items: JSON.parse(JSON.stringify(drawn.map(({ event }) => event))) as unknown[],
        bytes: 1_000,
        sourceId: 'src_fuzz',
        currency: undefined,
        reports: false,
        receivedAtMs: RECEIVED_AT_MS,
      },
      'wall',
      RECEIVE_CONTEXT,
    );
    const reasons = new Map(received.rejections.map(({ index, rejection }) => [index, rejection.reason]));
    const problem = findWrongResult(drawn, reasons) ?? findWrongCount(drawn, received.records);
    const results = drawn.map((_event, index) => reasons.get(index) ?? 'accepted');
    return problem === undefined ? { results } : { results, problem };
  },
};

function findWrongResult(drawn: readonly DrawnEvent[], reasons: ReadonlyMap<number, string>): string | undefined {
  for (const [index, { event, expected }] of drawn.entries()) {
    const reason = reasons.get(index);
    if (reason === (expected.kind === 'rejected' ? expected.reason : undefined)) continue;
    const wanted = expected.kind === 'rejected' ? `rejected as ${expected.reason}` : 'accepted';
    return `event ${index} is ${reason ?? 'accepted'}, and must be ${wanted}: ${JSON.stringify(event)}`;
  }
  return undefined;
}

function findWrongCount(
  drawn: readonly DrawnEvent[],
  records: ReturnType<typeof receiveCalls>['records'],
): string | undefined {
  const count = new OrderCount();
  for (const { expected } of drawn) if (expected.kind === 'accepted') count.add(expected);
  const states = foldRecords(records.filter(({ topic }) => topic === RECEIVE_CONTEXT.acceptedTopic));
  const rejected = records.filter(({ topic }) => topic === RECEIVE_CONTEXT.rejectedTopic);
  const kept = rejected.reduce((sum, { value }) => sum + sizeOfRejected(value), 0);
  const wanted = drawn.filter(({ expected }) => expected.kind === 'rejected').length;
  if (kept !== wanted) return `event.rejected keeps ${kept} of ${wanted} rejected events`;
  for (const [person, { events: eventsCount, orders, revenue }] of count.entries()) {
    const state = states.get(RECEIVE_CONTEXT.pseudonymizer.toProfileKey(person));
    const values = state && spec.toMap(spec.vector(state.engine, state.engine.asOfMs).values);
    const found = [values?.events_count_all, values?.orders_count_all, values?.orders_revenue_sum_all ?? 0];
    if (found.join() === [eventsCount, orders, revenue].join()) continue;
    const own = drawn.filter(({ expected }) => expected.kind === 'accepted' && isEqual(expected.person, person));
    const sent = JSON.stringify(own.map(({ event }) => event));
    return `${JSON.stringify(person)} has [events, orders, revenue] ${found}, and must have ${[eventsCount, orders, revenue]}: ${sent}`;
  }
  return states.size === count.entries().length
    ? undefined
    : `${states.size} people, and must be ${count.entries().length}`;
}

type State = Extract<ReturnType<typeof foldEvent>, { kind: 'applied' }>['state'];

function foldRecords(records: ReadonlyArray<{ key: Buffer | null; value: Buffer | null }>): Map<string, State> {
  const states = new Map<string, State>();
  for (const { key, value } of records) {
    const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
    if (record?.$case !== 'event') throw new Error('an accepted record without an event');
    const event = record.value;
    const profileKey = String(key);
    const properties: unknown = JSON.parse(Buffer.from(event.propertiesJson).toString());
    const folded = foldEvent(
      states.get(profileKey),
      { event, properties },
      { spec, specs, rates, logTimeMs: RECEIVED_AT_MS },
    );
    if (folded.kind === 'applied') states.set(profileKey, folded.state);
  }
  return states;
}

function isEqual(a: Person, b: Person): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

/** Events that one record of `event.rejected` keeps: a run of equal ones is one record. */
function sizeOfRejected(value: Buffer | null): number {
  const { count = 1 } = JSON.parse(String(value)) as EventRejected & { count?: number };
  return count;
}
