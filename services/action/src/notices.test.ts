import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import type {
  ActionCancelled,
  ActionChanged,
  ActionDecided,
  Notice,
  Rollout,
  ScoreComputed,
} from '@perennial/contracts';
import { ECOMMERCE_FEATURES, FeatureSpecs } from '@perennial/feature-engine';
import { must } from '@perennial/kernel';
import type { Cause, Output } from '@perennial/keyed-processor';
import { createPseudonymizer } from '@perennial/privacy';
import { createMetrics, createSilentLogger } from '@perennial/telemetry';
import { createActionArtifacts } from './artifacts.js';
import { type ActionState, actionStates } from './domain/action-state.js';
import { createActionProcessor } from './processor.js';
import { createActionTelemetry } from './telemetry.js';

const SPECS = new FeatureSpecs(ECOMMERCE_FEATURES);
const POLICY = readFileSync(join(import.meta.dirname, '../../../infra/defaults/policy.yaml'));
const IDENTITY = createPseudonymizer('a secret of more than thirty-two characters');
const KEY = IDENTITY.toProfileKey({ userId: 'user-1' });
const ROLLOUT: Rollout = { kind: 'policy', number: 3, hash: 'abc' };
const NOON = Date.UTC(2025, 0, 15, 12);
const NIGHT = Date.UTC(2025, 0, 15, 23);
const MORNING = Date.UTC(2025, 0, 16, 8);
const HOUR = 3_600_000;

const outcome = (kind: string, more = {}): Notice => ({
  notice: { $case: 'outcome', value: { actionId: 'x', kind, channel: '', value: undefined, topic: '', ...more } },
});
const contact = (channel: string): Notice => ({
  notice: { $case: 'contact', value: { channel, strategy: '', campaign: 'spring', id: 'c' } },
});
const withdraw = (channel: string, state = 'withdrawn'): Notice => ({
  notice: {
    $case: 'consent',
    value: { purposes: [], permissions: [{ channel, topic: '', state }], source: 'test', textVersion: '1' },
  },
});
const ENTERED = { number: 2, from: 'prospect', to: 'new', cause: 'event', atMs: NOON, reasons: [] };

describe('what others report, in action', () => {
  it('moves the life of an action, in whatever order it comes, and decides nothing', async () => {
    const action = await decide(NOON);
    const opened = await report(
      action.state,
      NOON + HOUR,
      outcome('opened', { actionId: action.id, channel: 'email' }),
    );
    const delivered = await report(opened.state, NOON + HOUR, outcome('delivered', { actionId: action.id }));
    expect(opened.changed).toMatchObject([{ actionId: action.id, outcome: 'opened', state: 'opened', known: true }]);
    expect(delivered.changed).toMatchObject([{ outcome: 'delivered', state: 'opened', channel: 'email' }]);
    expect([opened.decided, delivered.decided]).toEqual([[], []]);
    const again = await report(delivered.state, NOON + HOUR, outcome('opened', { actionId: action.id }));
    expect(again.state).toBe(delivered.state);
  });

  it('keeps and counts the outcome of an action that nobody knows', async () => {
    const { state, changed, metrics } = await report(undefined, NOON, outcome('clicked'));
    expect(state).toBeUndefined();
    expect(changed).toMatchObject([{ actionId: 'x', outcome: 'clicked', state: 'clicked', known: false }]);
    expect(metrics).toMatch(/action_outcomes_total\{(?=[^}]*outcome="clicked")[^}]*known="false"[^}]*\} 1/);
  });

  it('counts a contact of another system in caps, once', async () => {
    const first = await report(undefined, NOON - 2 * HOUR, contact('email'));
    const again = await report(first.state, NOON - 2 * HOUR, contact('email'));
    expect(first.state?.history.contacts).toEqual([{ atMs: NOON - 2 * HOUR, channel: 'email' }]);
    expect(again.state).toBe(first.state);
    expect((await decide(NOON)).id).not.toBe('');
    const { id, suppressed } = await decide(NOON, first.state);
    expect([id, suppressed]).toMatchObject(['', { overall_cap: 1 }]);
  });

  it.each([
    ['a withdrawal', withdraw('email'), { withdrawn: 1 }],
    ['the withdrawal of every channel', withdraw('*'), { withdrawn: 1 }],
    ['an opt-in that is not confirmed', withdraw('email', 'requested'), { not_confirmed: 1 }],
    ['an unsubscribe', outcome('unsubscribed', { channel: 'email' }), { withdrawn: 1 }],
    ['an unsubscribe of nobody knows what', outcome('unsubscribed'), { withdrawn: 1 }],
    ['a bounce', outcome('bounced', { channel: 'email' }), { bounced: 1 }],
    ['a complaint', outcome('complained', { channel: 'email' }), { complained: 1 }],
  ])('does not act after %s', async (_, notice, reasons) => {
    const { state } = await report(undefined, NOON - HOUR, notice);
    const { id, suppressed } = await decide(NOON, state);
    expect([id, suppressed]).toMatchObject(['', reasons]);
    const granted = await report(state, NOON - HOUR / 2, withdraw('*', 'granted'));
    expect((await decide(NOON, granted.state)).id).not.toBe('');
  });

  it('acts after the withdrawal of another channel', async () => {
    const { state } = await report(undefined, NOON - HOUR, withdraw('sms'));
    expect((await decide(NOON, state)).id).not.toBe('');
  });

  it('drops what waits, and cancels what can still be stopped, once', async () => {
    const waits = await decide(NIGHT);
    expect(waits.state?.history.pending).toHaveLength(1);
    const withdrawn = await report(waits.state, NIGHT + HOUR, withdraw('email'));
    expect(withdrawn.state?.history.pending).toEqual([]);
    expect(withdrawn.cancelled).toEqual([]);
    expect((await step(withdrawn.state, { kind: 'timer', dueAtMs: MORNING }, MORNING)).outputs).toEqual([]);

    const sent = await decide(NOON);
    const stopped = await report(sent.state, NOON + HOUR, withdraw('email'));
    expect(stopped.cancelled).toEqual([
      {
        actionId: sent.id,
        profileKey: KEY,
        userId: 'user-1',
        strategy: 'welcome',
        channel: 'email',
        reason: 'withdrawn',
        cancelledAt: new Date(NOON + HOUR).toISOString(),
      },
    ]);
    expect(stopped.changed).toMatchObject([{ actionId: sent.id, outcome: 'cancelled', state: 'cancelled' }]);
    expect((await report(stopped.state, NOON + 2 * HOUR, outcome('unsubscribed'))).cancelled).toEqual([]);

    const read = await report(sent.state, NOON + 1, outcome('opened', { actionId: sent.id }));
    expect((await report(read.state, NOON + HOUR, withdraw('email'))).cancelled).toEqual([]);
  });

  it('checks what waited again when it is due, by what was said since', async () => {
    const { state } = await decide(NIGHT);
    const before = must(state, 'a state');
    const permissions = {
      contact: [{ channel: 'email', topic: '', state: 'withdrawn', atMs: NIGHT }],
      purposes: [],
      obstacles: [],
    };
    const released = await step({ ...before, permissions }, { kind: 'timer', dueAtMs: MORNING }, MORNING);
    expect(released.outputs).toEqual([]);
    expect((await step(before, { kind: 'timer', dueAtMs: MORNING }, MORNING)).outputs).toHaveLength(1);
  });

  it('drops what waits with an option when the channel of that option is withdrawn, not of another', async () => {
    const head = 'version: 1\nquietHours: { from: "21:00", to: "08:00" }\nchannels: { email: {}, push: {} }\n';
    const keys = 'stages: [new], on: scored, template: t, cooldown: 1d, options: { channel: [push, email] }';
    const policy = Buffer.from(`${head}strategies:\n  s: { ${keys} }\n`);
    const waits = await decide(NIGHT, undefined, withdraw('push'), policy);
    expect(waits.state?.history.pending).toMatchObject([{ option: { name: 'channel=email', propensity: 1 } }]);
    const state = actionStates.decode(actionStates.encode(must(waits.state, 'a state')));
    expect((await report(state, NIGHT + HOUR, withdraw('push'), policy)).state?.history.pending).toHaveLength(1);
    expect((await report(state, NIGHT + HOUR, withdraw('sms'), policy)).state?.history.pending).toHaveLength(1);
    expect((await report(state, NIGHT + HOUR, withdraw('email'), policy)).state?.history.pending).toEqual([]);
    const { outputs } = await step(state, { kind: 'timer', dueAtMs: MORNING }, MORNING, policy);
    expect(read<ActionDecided>(outputs, 'decided')).toMatchObject([
      { channel: 'email', option: 'channel=email', optionPropensity: 1 },
    ]);
  });

  it.each([
    ['nothing', false, 'new'],
    ['the stage', true, 'new'],
    ['the stage, to none', true, ''],
  ])('gives one contact for a report that moves %s', async (_, entered, stage) => {
    const policy = Buffer.from(`version: 1
channels: { wechat: { permission: { grants: one_time, grantedBy: [clicked] } } }
strategies:
  hello: { stages: [gone], on: scored, channel: wechat, template: h, cooldown: 1d }
`);
    const event = { messageId: 'c', type: 'outcome', name: 'clicked', timestampMs: NOON, value: 0 };
    const input = { ...score(NOON, { ...event, notice: outcome('clicked') }, entered), stage };
    const { state } = await step(undefined, { kind: 'record', input }, NOON, policy);
    expect(state?.history.signals?.grants).toEqual({ wechat: 1 });
  });

  it('takes consent that comes with behaviour before it decides', async () => {
    expect((await decide(NOON, undefined, withdraw('email'))).suppressed).toMatchObject({ withdrawn: 1 });
  });
});

async function decide(atMs: number, state?: ActionState, notice?: Notice, policy = POLICY) {
  const event = { messageId: `e${atMs}`, type: 'track', name: 'x', timestampMs: atMs, value: 0, notice };
  const result = await step(state, { kind: 'record', input: score(atMs, event, true) }, atMs, policy);
  const decided = read<ActionDecided>(result.outputs, 'decided');
  return { ...result, id: decided[0]?.actionId ?? '' };
}

async function report(state: ActionState | undefined, atMs: number, notice: Notice, policy = POLICY) {
  const { $case: type = '', value } = must(notice.notice, 'a notice');
  const name = 'kind' in value ? value.kind : '';
  const event = { messageId: `n${atMs}${name}`, type, name, timestampMs: atMs, value: 0, notice };
  const result = await step(state, { kind: 'record', input: score(atMs, event, false) }, atMs, policy);
  return {
    ...result,
    decided: read<ActionDecided>(result.outputs, 'decided'),
    changed: read<ActionChanged>(result.outputs, 'changed'),
    cancelled: read<ActionCancelled>(result.outputs, 'cancelled'),
  };
}

function read<Data>(outputs: readonly Output[], what: string): Data[] {
  const found = outputs.filter(({ topic }) => topic === `lifecycle.action.${what}.v1`);
  return found.map(({ value }) => JSON.parse(String(value)) as Data);
}

async function step(state: ActionState | undefined, cause: Cause<ScoreComputed>, logTimeMs: number, policy = POLICY) {
  const metrics = createMetrics({ service: 'action', namespace: 'live', processMetrics: false });
  const telemetry = createActionTelemetry(createSilentLogger(), metrics);
  const store = { list: async () => [], load: async () => policy };
  const artifacts = createActionArtifacts(store, { specs: SPECS, telemetry });
  const deps = { namespace: 'live', artifacts, specs: SPECS, pseudonymizer: IDENTITY, telemetry };
  const processor = createActionProcessor(deps);
  const inForce = new Map([['policy', ROLLOUT]]);
  const context = { key: KEY, partition: 0, offset: 1, ordinal: 0, logTimeMs, inForce };
  const item = { state, cause, context };
  const [evidence] = await must(processor.prepare, 'prepare')([item]);
  const result = processor.step(item, must(evidence, 'evidence'));
  const { suppressed } = telemetry.totals();
  return { ...result, suppressed, metrics: await metrics.registry.metrics() };
}

function score(
  asOfMs: number,
  event: NonNullable<NonNullable<ScoreComputed['features']>['event']>,
  entered: boolean,
): ScoreComputed {
  return {
    modelHash: '',
    scores: [],
    stage: 'new',
    stageSinceMs: asOfMs,
    transition: entered ? ENTERED : undefined,
    segments: undefined,
    features: {
      specHash: SPECS.initial.specHash,
      asOfMs,
      values: SPECS.initial.names.map(() => 1),
      lastEventAtMs: asOfMs,
      subject: IDENTITY.seal('user-1'),
      timeZone: '',
      attributes: [],
      event,
    },
  };
}
