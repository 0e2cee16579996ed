import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';
import { defineOperation, NEXT_CURSOR, type Operation, PAGE_QUERY, Type } from '@perennial/service-host';

/** Ids of ours are far shorter. */
const ACTION_ID_CHARS_MAX = 256;

const ACTION = Type.Object({
  actionId: Type.String(),
  profileKey: Type.String({ description: 'Pseudonym of the profile.' }),
  strategy: Type.String({ description: 'Strategy of the policy that chose it.' }),
  channel: Type.String(),
  template: Type.String(),
  parameters: Type.Record(Type.String(), Type.Unknown(), { description: 'What the template needs.' }),
  stage: Type.String({ description: 'Stage of the profile when it was decided.' }),
  cause: Type.Object({ kind: Type.String(), id: Type.String() }, { description: 'The one thing that led to it.' }),
  reasons: Type.Array(Type.String()),
  policyVersion: Type.Integer(),
  modelHash: Type.String(),
  scores: Type.Record(Type.String(), Type.Number(), { description: 'What the model said, by the names of its heads.' }),
  decidedAt: Type.String({ format: 'date-time', description: 'In log time.' }),
  expiresAt: Type.String({ format: 'date-time' }),
  cost: Type.Number({ description: 'Expected, in the currency of the events.' }),
  state: Type.String({ description: 'Of its life: decided, delivered, opened ...; never goes back.' }),
  outcomes: Type.Array(
    Type.Object({
      outcome: Type.String(),
      at: Type.String({ format: 'date-time' }),
      channel: Type.String({ description: 'Empty where nobody said it.' }),
      value: Type.Union([Type.Number(), Type.Null()]),
    }),
    { description: 'What was reported of it, the first ones first; 100 at most.' },
  ),
});

export const listActions = defineOperation({
  id: 'listActions',
  method: 'GET',
  path: '/v1/actions',
  access: 'read',
  summary: "A user's actions, newest first, from the ledger.",
  query: Type.Object({
    userId: Type.String({ minLength: 1, maxLength: EXTERNAL_ID_CHARS_MAX, description: 'External id of the user.' }),
    ...PAGE_QUERY,
  }),
  answer: Type.Object({ userId: Type.String(), actions: Type.Array(ACTION), next: NEXT_CURSOR }),
});

export const getAction = defineOperation({
  id: 'getAction',
  method: 'GET',
  path: '/v1/actions/{actionId}',
  access: 'read',
  summary: 'One action, with what came of it, from the ledger.',
  parameters: Type.Object({ actionId: Type.String({ minLength: 1, maxLength: ACTION_ID_CHARS_MAX }) }),
  answer: ACTION,
});

const COUNTS = Type.Record(Type.String(), Type.Integer());

export const getActionSummary = defineOperation({
  id: 'getActionSummary',
  method: 'GET',
  path: '/v1/summary',
  access: 'read',
  summary: 'Actions and their cost by strategy, and why others were not taken.',
  answer: Type.Object({
    actions: Type.Object({ total: Type.Integer(), cost: Type.Number(), byStrategy: COUNTS }),
    process: Type.Object(
      { results: COUNTS, suppressed: COUNTS },
      { description: 'Of the process that answers, since it began.' },
    ),
    ledgerLag: Type.Integer({ description: 'Records of action.decided that the ledger has not got yet.' }),
  }),
});

const TIME = Type.String({ format: 'date-time' });

export const listExperiments = defineOperation({
  id: 'listExperiments',
  method: 'GET',
  path: '/v1/experiments',
  access: 'read',
  summary: 'Experiments that had a say about anybody, with the profiles of each arm.',
  answer: Type.Object({
    arms: Type.Array(
      Type.Object({
        experiment: Type.String(),
        layer: Type.String(),
        arm: Type.String(),
        propensity: Type.Number({ description: 'Probability of this arm.' }),
        profiles: Type.Integer({ description: 'By their first exposure.' }),
        firstAt: TIME,
        lastAt: TIME,
      }),
    ),
    lag: Type.Integer({ description: 'Records of experiment.assigned that are not counted yet.' }),
  }),
});

export const listExposures = defineOperation({
  id: 'listExposures',
  method: 'GET',
  path: '/v1/experiments/{name}/exposures',
  access: 'read',
  summary: 'Who is in which arm of an experiment, by first exposure, the earliest first.',
  parameters: Type.Object({
    name: Type.String({ minLength: 1, maxLength: 63, description: 'Its name in the policy.' }),
  }),
  query: Type.Object(PAGE_QUERY),
  answer: Type.Object({
    exposures: Type.Array(
      Type.Object({
        profileKey: Type.String({ description: 'Pseudonym of the profile.' }),
        arm: Type.String(),
        propensity: Type.Number(),
        firstAt: TIME,
      }),
    ),
    next: NEXT_CURSOR,
  }),
});

export const getContacts = defineOperation({
  id: 'getContacts',
  method: 'GET',
  path: '/v1/contacts/{userId}',
  access: 'read',
  summary: "A user's waiting actions, and the contacts that caps and cooldowns count.",
  parameters: Type.Object({
    userId: Type.String({ minLength: 1, maxLength: EXTERNAL_ID_CHARS_MAX, description: 'External id of the user.' }),
  }),
  answer: Type.Object({
    userId: Type.String(),
    waiting: Type.Array(
      Type.Object({
        strategy: Type.String(),
        cause: Type.Object({ kind: Type.String(), id: Type.String() }),
        causedAt: TIME,
        dueAt: Type.String({ format: 'date-time', description: 'End of quiet hours: then it is decided again.' }),
        expiresAt: TIME,
        reasons: Type.Array(Type.String()),
      }),
      { description: 'In the order in which they are due.' },
    ),
    contacts: Type.Array(
      Type.Object({
        at: TIME,
        channel: Type.String(),
        strategy: Type.Optional(Type.String()),
        category: Type.Optional(Type.String()),
      }),
      { description: 'The oldest first.' },
    ),
    events: Type.Record(Type.String(), TIME, {
      description: 'When each event last came that begins a do-not-disturb or opens a reply window.',
    }),
    grants: Type.Record(Type.String(), Type.Integer(), { description: 'One-time grants that are left, by channel.' }),
    lastUsed: Type.Record(Type.String(), TIME, { description: 'By strategy, while its cooldown lasts.' }),
  }),
});

const DROP = Type.Object({
  strategy: Type.String(),
  reason: Type.String({ description: 'Of the closed set of the step.' }),
});
const NULLABLE_VALUE = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

export const explainDecision = defineOperation({
  id: 'explainDecision',
  method: 'POST',
  path: '/v1/explanations/{userId}',
  access: 'read',
  summary:
    'What the policy in force would decide for a user now, step by step, and why not; publishes and changes nothing.',
  parameters: Type.Object({
    userId: Type.String({ minLength: 1, maxLength: EXTERNAL_ID_CHARS_MAX, description: 'External id of the user.' }),
  }),
  body: Type.Object({
    stage: Type.String({ maxLength: 64 }),
    entered: Type.Optional(
      Type.Boolean({ description: 'As if the profile had entered the stage now; default false.' }),
    ),
    stageSince: Type.Union([TIME, Type.Null()]),
    lastEventAt: Type.Union([TIME, Type.Null()]),
    timeZone: Type.String({ maxLength: 64 }),
    features: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()])),
    attributes: Type.Record(Type.String(), NULLABLE_VALUE, {
      description: 'By whole name, such as traits.plan; times in milliseconds.',
    }),
    scores: Type.Union([Type.Record(Type.String(), Type.Number()), Type.Null()]),
    segments: Type.Union([Type.Array(Type.String()), Type.Null()]),
  }),
  answer: Type.Object({
    userId: Type.String(),
    policyVersion: Type.Integer(),
    at: TIME,
    result: Type.String({ description: 'decided, deferred, suppressed or no_candidate.' }),
    action: Type.Union([
      Type.Object({
        strategy: Type.String(),
        reasons: Type.Array(Type.String()),
        dueAt: Type.Union([TIME, Type.Null()], { description: 'End of quiet hours; null for now.' }),
        expiresAt: TIME,
      }),
      Type.Null(),
    ]),
    nothing: Type.Union([Type.Object({ step: Type.String(), reason: Type.String() }), Type.Null()]),
    steps: Type.Array(Type.Object({ step: Type.String(), dropped: Type.Array(DROP) }), {
      description: 'In their order; every strategy of the policy that leads to no action is in one.',
    }),
  }),
});

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [
  listActions,
  getAction,
  getActionSummary,
  listExperiments,
  listExposures,
  getContacts,
  explainDecision,
];
