import { parseRateTable } from '@perennial/commerce';
import { AcceptedRecord, type ScoreComputed } from '@perennial/contracts';
import { requireValid } from '@perennial/expressions';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { findBlock, NO_PERMISSIONS } from '@perennial/policy';
import { takeNotice } from '@perennial/service-action';
import { foldEvent } from '@perennial/service-feature-store';
import { OUTCOMES, RECEIVED, receiveCalls, receiveRecord } from '@perennial/service-ingest';
import { Draw } from '../../draw.js';
import { RECEIVE_CONTEXT } from '../../receive-context.js';
import type { CaseResult, FuzzTarget } from '../../target.js';
import { type Account, ReportCount } from './count-reports.js';
import { type DrawnReport, drawReport, RECEIVED_AT_MS } from './draw-report.js';

const specs = new FeatureSpecs(ECOMMERCE_FEATURES);
const spec = specs.initial;
const rates = requireValid(
  parseRateTable('version: 1\ncurrency: USD\nrates: { EUR: 2 }\n', { fileName: 'rates.yaml' }),
);
const WAYS = ['own path', 'batch', 'own topic', 'topic of events'] as const;
/** What is no report at all, over Kafka. */
const GARBAGE = [null, Buffer.of(0xff, 0xfe), Buffer.from('{"outcome":'), Buffer.from('[]'), Buffer.from('7')];

/** Outcomes, contacts and consents through every way into ingest, then through feature-store and the first part of action. */
export const reports: FuzzTarget = {
  description: 'what other systems report: outcomes, contacts, consents, over HTTP and Kafka, repeats, junk',
  run(seed): CaseResult {
    const draw = new Draw(seed);
    const drawn = draw.list(draw.whole(1, 30), () =>
      drawReport(draw, (id) => RECEIVE_CONTEXT.pseudonymizer.toProfileKey(id)),
    );
    const count = new ReportCount();
    const profiles = new Profiles();
    const results: string[] = [];
    for (const [index, report] of drawn.entries()) {
      const { reason, record } = receive(report, draw, index);
      const { expected } = report;
      results.push(reason ?? 'accepted');
      if (reason !== (expected.kind === 'rejected' ? expected.reason : undefined)) {
        const wanted = expected.kind === 'rejected' ? expected.reason : 'accepted';
        return fail(results, `report ${index} is ${reason ?? 'accepted'}, and must be ${wanted}`, [report]);
      }
      if (expected.kind === 'accepted') count.add(expected);
      if (reason === undefined) profiles.take(record);
    }
    const garbage = receiveGarbage(draw);
    if (garbage !== undefined) return fail(results, garbage, []);
    const problem = count
      .accounts()
      .map((account) => profiles.compare(account))
      .find((found) => found !== undefined);
    return problem === undefined ? { results } : fail(results, problem, drawn);
  },
};

function fail(results: readonly string[], what: string, drawn: readonly DrawnReport[]): CaseResult {
  return { results, problem: `${what}: ${JSON.stringify(drawn.map(({ type, body }) => ({ type, ...body })))}` };
}

type Outgoing = ReturnType<typeof receiveRecord>['outgoing'];

/** What ingest makes of the report by one of the ways on which it may come. */
function receive(
  { type, body }: DrawnReport,
  draw: Draw,
  index: number,
): { reason: string | undefined; record: Outgoing } {
  // As it arrives: undefined does not travel.
  const json = JSON.stringify(draw.chance(0.5) ? { type, ...body } : body);
  const way = draw.pick(type === 'outcome' ? WAYS : (['own path', 'batch', 'topic of events'] as const));
  const typed = JSON.stringify({ ...body, type });
  if (way === 'own path' || way === 'batch') {
    const received = receiveCalls(
      {
        items: [JSON.parse(way === 'batch' ? typed : json)],
        callType: way === 'batch' ? undefined : type,
        bytes: 1_000,
        sourceId: 'src_fuzz',
        currency: undefined,
        reports: true,
        receivedAtMs: RECEIVED_AT_MS,
      },
      'wall',
      RECEIVE_CONTEXT,
    );
    return { reason: received.rejections[0]?.rejection.reason, record: received.records[0] as Outgoing };
  }
  const isOwn = way === 'own topic';
  return receiveValue(Buffer.from(isOwn ? json : typed), isOwn ? OUTCOMES : RECEIVED, index);
}

function receiveValue(value: Buffer | null, input: typeof OUTCOMES, offset: number) {
  const arrival = { receivedAtMs: RECEIVED_AT_MS, clockMode: 'wall' } as const;
  const place = { topic: input.topic, partition: 0, offset, headers: {} };
  const { event, outgoing } = receiveRecord({ ...place, value }, input, { arrival, context: RECEIVE_CONTEXT });
  return { reason: event.kind === 'rejected' ? event.reason : undefined, record: outgoing };
}

function receiveGarbage(draw: Draw): string | undefined {
  const value = draw.pick(GARBAGE);
  const { reason } = receiveValue(value, draw.pick([OUTCOMES, RECEIVED]), 0);
  if (reason === 'not_json' || reason === 'not_an_object') return undefined;
  return `${String(value)} is ${reason ?? 'accepted'}`;
}

type Folded = Extract<ReturnType<typeof foldEvent>, { kind: 'applied' }>;
type ActionState = Parameters<typeof takeNotice>[0];

interface Profile {
  features: Folded['state'] | undefined;
  action: ActionState;
  readonly outcomes: string[];
}

/** What feature-store and action keep of each profile. */
class Profiles {
  readonly #profiles = new Map<string, Profile>();

  take({ key, value }: Outgoing): void {
    const { record } = AcceptedRecord.decode(value ?? Buffer.alloc(0));
    if (record?.$case !== 'event') throw new Error('an accepted record without an event');
    const profile = this.#profiles.get(String(key)) ?? { features: undefined, action: undefined, outcomes: [] };
    this.#profiles.set(String(key), profile);
    const event = record.value;
    const properties: unknown = JSON.parse(Buffer.from(event.propertiesJson).toString());
    const folded = foldEvent(
      profile.features,
      { event, properties },
      { spec, specs, rates, logTimeMs: RECEIVED_AT_MS },
    );
    if (folded.kind !== 'applied') return;
    profile.features = folded.state;
    const computed = { stage: '', modelHash: '', features: folded.update } as ScoreComputed;
    const taken = takeNotice(profile.action, computed, { policy: undefined, logTimeMs: RECEIVED_AT_MS });
    profile.action = taken?.state;
    for (const { actionId, outcome } of taken?.changes ?? []) profile.outcomes.push(`${actionId} ${outcome}`);
  }

  /** What differs from the account. */
  compare({ person, outcomes, contacts, blockOf, hasObstacle }: Account): string | undefined {
    const who = JSON.stringify(person);
    const profile = this.#profiles.get(RECEIVE_CONTEXT.pseudonymizer.toProfileKey(person));
    if (profile?.features === undefined) return `${who} is not known`;
    if (profile.outcomes.join() !== outcomes.join()) return `${who} has outcomes ${profile.outcomes}, not ${outcomes}`;
    const found = (profile.action?.history.contacts ?? []).map(({ atMs, channel }) => `${atMs} ${channel}`);
    if (found.toSorted().join() !== [...contacts].sort().join()) return `${who} has contacts ${found}`;
    const { events_count_all: events } = spec.toMap(spec.vector(profile.features.engine, RECEIVED_AT_MS).values);
    if ((events ?? 0) !== 0) return `${who} has ${events} events, and did nothing`;
    for (const channel of ['email', 'sms', 'push']) {
      for (const category of ['news', 'offers']) {
        const block = findBlock(profile.action?.permissions ?? NO_PERMISSIONS, { channel, category });
        const wanted = blockOf(channel, category);
        const isObstacle = block === 'bounced' || block === 'complained';
        const isRight = wanted === undefined && isObstacle ? hasObstacle : block === wanted;
        if (!isRight)
          return `${channel} for ${category} of ${who} is ${block ?? 'allowed'}, and must be ${wanted ?? 'allowed'}`;
      }
    }
    return undefined;
  }
}
