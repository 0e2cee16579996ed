import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';
import { defineOperation, NEXT_CURSOR, type Operation, PAGE_QUERY, type TSchema, Type } from '@perennial/service-host';

const USER_ID = Type.String({
  minLength: 1,
  maxLength: EXTERNAL_ID_CHARS_MAX,
  description: 'External id of the user.',
});
const nullable = <T extends TSchema>(schema: T, description: string) =>
  Type.Union([schema, Type.Null()], { description });
const TIME = Type.String({ format: 'date-time' });

export const getProfile = defineOperation({
  id: 'getProfile',
  method: 'GET',
  path: '/v1/profiles/{userId}',
  access: 'read',
  summary: 'Stage and scores of a user, as of the last commit.',
  parameters: Type.Object({ userId: USER_ID }),
  answer: Type.Object({
    userId: Type.String(),
    known: Type.Boolean({ description: 'False for a profile never seen.' }),
    asOf: nullable(TIME, 'Log time that stage and scores are current to.'),
    stage: nullable(Type.String(), 'Null before the first.'),
    since: nullable(TIME, 'When it entered the stage.'),
    transitionNumber: Type.Integer({ description: 'Of its last transition; 0 before the first.' }),
    nextCheckAt: nullable(TIME, 'When time alone may move it next.'),
    scores: nullable(
      Type.Record(Type.String(), Type.Number()),
      "By the name of the model's head; null without a model.",
    ),
  }),
});

export const countStages = defineOperation({
  id: 'countStages',
  method: 'GET',
  path: '/v1/stages',
  access: 'read',
  summary: 'Profiles by stage.',
  answer: Type.Object({
    profiles: Type.Integer(),
    stages: Type.Record(Type.String(), Type.Integer()),
    transitionsNotYetCounted: nullable(Type.Integer(), 'What the count was behind by when the process last looked.'),
  }),
});

const TRANSITION = Type.Object({
  number: Type.Integer({ description: 'Counts from 1 for each profile, without gaps.' }),
  from: nullable(Type.String(), 'Null for the first.'),
  to: Type.String(),
  cause: Type.String({ description: 'event, score, timer or merge.' }),
  at: TIME,
  reasons: Type.Array(Type.String()),
  evidence: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()]), {
    description: 'The numbers that the condition read.',
  }),
  lifecycleVersion: Type.Integer(),
  modelHash: Type.String(),
  scores: Type.Record(Type.String(), Type.Number(), { description: 'What the model said, by the names of its heads.' }),
});

export const listTransitions = defineOperation({
  id: 'listTransitions',
  method: 'GET',
  path: '/v1/transitions',
  access: 'read',
  summary: "A user's changes of stage, newest first.",
  query: Type.Object({ userId: USER_ID, ...PAGE_QUERY }),
  answer: Type.Object({ userId: Type.String(), transitions: Type.Array(TRANSITION), next: NEXT_CURSOR }),
});

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [getProfile, countStages, listTransitions];
