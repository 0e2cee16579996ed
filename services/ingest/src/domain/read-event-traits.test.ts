import { describe, expect, it } from '@jest/globals';
import { requireTrackingPlan } from '@perennial/tracking-plan';
import type { NormalisedEvent } from './event-shape.js';
import type { PlanInForce } from './judge-by-plan.js';
import { normalise } from './normalise.js';
import { Rejection } from './rejection.js';

const arrival = { receivedAtMs: Date.UTC(2026, 4, 1), clockMode: 'wall', createMessageId: () => 'generated' } as const;

function accept(raw: object, plan?: PlanInForce): NormalisedEvent & { readonly properties: unknown } {
  const result = normalise(raw, { ...arrival, plan });
  if (result instanceof Rejection) throw new Error(result.message);
  return { ...result, properties: JSON.parse(result.propertiesJson) };
}

const text = (name: string, value: string) => ({ name, value: { kind: 'text', text: value } });

describe('traits of an event', () => {
  it('are those whose names are plainly not personal; personal ones go no further', () => {
    const traits = { email: 'ann@example.com', name: 'Ann', plan: 'pro', shoe: 44, address: { city: 'Kyoto' } };
    const { properties, said, withheld } = accept({ type: 'identify', userId: 'u', traits });
    expect(properties).toEqual({ plan: 'pro', shoe: 44 });
    expect(withheld).toBe(3);
    expect(said).toEqual({
      traits: [text('plan', 'pro')],
      accountId: undefined,
      accountTraits: [],
      leftOut: ['undeclared'],
    });
  });

  it('come from context.traits of any call too, which yields to what the call says itself', () => {
    const context = { traits: { plan: 'free', language: 'ja', email: 'ann@example.com' } };
    const track = accept({ type: 'track', event: 'x', userId: 'u', context, properties: { email: 'in properties' } });
    expect(track.said.traits).toEqual([text('plan', 'free'), text('language', 'ja')]);
    expect(track.properties).toEqual({ email: 'in properties' });
    const identify = accept({ type: 'identify', userId: 'u', context, traits: { plan: 'pro' } });
    expect(identify.said.traits).toEqual([text('plan', 'pro'), text('language', 'ja')]);
    expect(accept({ type: 'track', event: 'x', userId: 'u', context: { traits: 'odd' } }).said.traits).toEqual([]);
  });

  it('follow the plan of the source, in both directions', () => {
    const content =
      'version: 1\npersonal: [plan]\nidentify: {schema: {properties: {shoe: {personal: false}, name: {personal: false}, vip: {personal: true}}}}';
    const plan = { number: 1, plan: requireTrackingPlan(content, { fileName: 'plan.yaml' }) };
    const { properties, said } = accept(
      { type: 'identify', userId: 'u', traits: { plan: 'x', shoe: 44, name: 'N', vip: true } },
      plan,
    );
    expect(said.traits).toEqual([{ name: 'shoe', value: { kind: 'number', number: 44 } }, text('name', 'N')]);
    expect(properties).toEqual({ shoe: 44, name: 'N' });
  });

  it('of a group put the profile in an account; the group keeps what is not personal', () => {
    const traits = { plan: 'big', phone: '1', employees: 7 };
    const { properties, said } = accept({ type: 'group', userId: 'u', groupId: 42, traits });
    expect(properties).toEqual({ plan: 'big', employees: 7, groupId: '42' });
    const employees = { name: 'employees', value: { kind: 'number', number: 7 } };
    const accountTraits = [text('plan', 'big'), employees];
    expect(said).toEqual({ traits: [], accountId: '42', accountTraits, leftOut: [] });
  });
});
