import { defineOperation, type Operation, type Static, Type } from '@perennial/service-host';
import { LIMITS } from '../domain/limits.js';
import { TICK_STEP_MAX_MS, TICK_STEP_MIN_MS } from '../domain/plan-ticks.js';

const MOMENT = (description: string) =>
  Type.Unsafe<string | number>({
    type: ['string', 'integer'],
    description: `${description} ISO 8601, or ms since 1970.`,
  });

export const getClock = defineOperation({
  id: 'getClock',
  method: 'GET',
  path: '/v1/clock',
  access: 'read',
  summary: 'What time the log has.',
  answer: Type.Object({
    mode: Type.Union([Type.Literal('wall'), Type.Literal('events')]),
    logTime: Type.Union([Type.String({ format: 'date-time' }), Type.Null()], {
      description: 'Null before the first tick.',
    }),
  }),
});

export const getRules = defineOperation({
  id: 'getRules',
  method: 'GET',
  path: '/v1/rules',
  access: 'read',
  summary: 'By which rules about ids this process reads events.',
  answer: Type.Object({
    identity: Type.Object({
      hash: Type.Union([Type.String(), Type.Null()], { description: 'SHA-256 of the file; null before any rollout.' }),
      kinds: Type.Array(Type.String(), { description: 'The strongest first.' }),
    }),
  }),
});

const ADVANCE = Type.Object({
  to: MOMENT('Log time to reach.'),
  from: Type.Optional(MOMENT('Where ticks begin when there is none yet.')),
  stepMs: Type.Optional(
    Type.Integer({
      minimum: TICK_STEP_MIN_MS,
      maximum: TICK_STEP_MAX_MS,
      default: TICK_STEP_MAX_MS,
      description: 'Log time between two ticks.',
    }),
  ),
  received: Type.Optional(
    Type.Record(Type.String(), Type.Integer({ minimum: 0, maximum: Number.MAX_SAFE_INTEGER }), {
      description: 'Next offsets of event.received, by partition, to take in before.',
    }),
  ),
});

/** Body of `advanceClock`. */
export type AdvanceRequest = Static<typeof ADVANCE>;

export const advanceClock = defineOperation({
  id: 'advanceClock',
  method: 'POST',
  path: '/v1/clock',
  access: 'operate',
  summary: 'Writes ticks up to a time, to every partition, where events drive the clock.',
  body: ADVANCE,
  answer: Type.Object({ logTime: Type.String({ format: 'date-time' }) }),
  problems: { 409: 'The wall clock drives time in this namespace.' },
});

const CALL = Type.Object(
  {
    messageId: Type.Optional(Type.String({ description: 'The same again changes nothing.' })),
    userId: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
    anonymousId: Type.Optional(Type.Union([Type.String(), Type.Integer(), Type.Null()])),
  },
  { description: 'An event as the Segment API has it; further fields as there.', additionalProperties: true },
);

const ACCEPTED = Type.Object({ success: Type.Literal(true) });

/** One call of the Segment API. */
export function defineCallOperation(path: string, id: string): Operation {
  return {
    id,
    method: 'POST',
    path,
    access: 'write-key',
    summary: `Takes one event; 200 once Kafka has it. ${LIMITS.eventBytesMax} bytes at most.`,
    body: CALL,
    answer: ACCEPTED,
  };
}

const BATCH_ANSWER = Type.Object({
  success: Type.Literal(true),
  rejected: Type.Optional(
    Type.Array(Type.Object({ index: Type.Integer(), reason: Type.String(), message: Type.String() })),
  ),
});

/** What PostHog's browser SDK sends: an event, a list of events, or a batch. */
export function definePosthogOperation(path: string, id: string): Operation {
  return {
    id,
    method: 'POST',
    path,
    access: 'write-key',
    summary: `Takes an event of PostHog's SDK, a list of up to ${LIMITS.batchEventsMax}, or a batch; bad ones are listed, the others accepted.`,
    body: Type.Unknown({ description: 'JSON, plain, compressed, or in base64 as the form field `data`.' }),
    answer: BATCH_ANSWER,
  };
}

/** A batch of calls, in the Segment API's form or PostHog's. */
export function defineBatchOperation(path: string, id: string): Operation {
  return {
    id,
    method: 'POST',
    path,
    access: 'write-key',
    summary: `Takes up to ${LIMITS.batchEventsMax} events, ${LIMITS.batchBytesMax} bytes at most; bad ones are listed, the others accepted.`,
    body: Type.Object({ batch: Type.Array(Type.Unknown()) }, { additionalProperties: true }),
    answer: BATCH_ANSWER,
  };
}

/** Reports of other systems: outcomes of actions, contacts, consents. */
export function defineNoticeOperation(path: string, id: string): Operation {
  return {
    id,
    method: 'POST',
    path,
    access: 'write-key',
    summary: `Takes one report, a list, or a batch of up to ${LIMITS.batchEventsMax}; bad ones are listed, the others accepted. Fields: docs/OUTCOMES.md.`,
    body: Type.Unknown({ description: 'A report, a list of reports, or `{"batch": [...]}`.' }),
    answer: BATCH_ANSWER,
  };
}

/** Outcomes as a provider's webhook sends them. */
export const takeWebhook: Operation = {
  id: 'takeWebhook',
  method: 'POST',
  path: '/v1/webhooks/{provider}',
  access: 'write-key',
  summary:
    "Takes the outcomes of a provider's webhook, whose names of fields and outcomes are mapped. Details: docs/OUTCOMES.md.",
  parameters: Type.Object({
    provider: Type.String({
      pattern: '^[a-z0-9-]{1,40}$',
      description: "Stands before the provider's ids in message ids.",
    }),
  }),
  body: Type.Unknown({ description: 'An item, a list, or `{"events": [...]}`.' }),
  answer: BATCH_ANSWER,
};
