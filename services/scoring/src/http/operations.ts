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
    segments: Type.Array(Type.Object({ name: Type.String(), since: TIME }), {
      description: 'Segments that the profile is in.',
    }),
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

const SEGMENT_NAME = Type.String({ minLength: 1, maxLength: 63, description: 'Name of a segment.' });
const EVENT_PATTERN = Type.Object({ type: Type.String(), name: nullable(Type.String(), 'Null for any.') });
const DURATION_MS = Type.Integer({ description: 'Milliseconds.' });

const SEGMENT = Type.Object({
  name: Type.String(),
  members: Type.Integer(),
  definition: nullable(
    Type.Object({
      kind: Type.String({
        description:
          'segment; rule, score, rank, manual or imported for a tag; class for one of a grid; cluster or cohort for one of a set.',
      }),
      owner: Type.String({ description: 'Who is responsible for it; empty for nobody in particular.' }),
      description: Type.String(),
      when: nullable(Type.String(), 'Who enters: a condition in CEL.'),
      leave: nullable(Type.String(), 'Who leaves.'),
      sequence: nullable(
        Type.Object({ did: EVENT_PATTERN, butNot: EVENT_PATTERN, withinMs: DURATION_MS }),
        'Who did one thing and not another within a time.',
      ),
      minStayMs: DURATION_MS,
      maxStayMs: nullable(DURATION_MS, 'Null for no end.'),
    }),
    'Null for a segment that is no longer in force: its members leave at their next step.',
  ),
});

const BOUNDS = Type.Array(Type.Number());
const THRESHOLD = Type.Union([
  Type.Number({ description: 'Of a rank tag: members have more.' }),
  Type.Object({ recency: BOUNDS, frequency: BOUNDS, money: BOUNDS }),
  Type.Null(),
]);

export const listSegments = defineOperation({
  id: 'listSegments',
  method: 'GET',
  path: '/v1/segments',
  access: 'read',
  summary: 'The segments in force and those that still have members, with the number of members.',
  answer: Type.Object({
    version: nullable(Type.Integer(), 'Number of the segments in force; null while there are none.'),
    segments: Type.Array(SEGMENT, { description: 'In the order of the file in force.' }),
    population: nullable(
      Type.Integer(),
      'Number of the population that thresholds follow from; null while there is none.',
    ),
    thresholds: Type.Record(Type.String(), THRESHOLD, {
      description: 'Those in force, by grid and by rank tag; null while they are not known.',
    }),
    changesNotYetCounted: nullable(Type.Integer(), 'What the counts were behind by when the process last looked.'),
  }),
});

export const listMembers = defineOperation({
  id: 'listMembers',
  method: 'GET',
  path: '/v1/segments/{segment}/members',
  access: 'read',
  summary: 'Members of a segment, in the order of their pseudonyms.',
  parameters: Type.Object({ segment: SEGMENT_NAME }),
  query: Type.Object(PAGE_QUERY),
  answer: Type.Object({
    segment: Type.String(),
    members: Type.Array(
      Type.Object({
        profileKey: Type.String({ description: 'Pseudonym of the profile.' }),
        userId: nullable(Type.String(), 'External id; null for a profile that is known by an anonymous id only.'),
        since: TIME,
        tags: Type.Array(Type.String(), {
          description: 'All tags that the profile has, of any kind, in the order of the file.',
        }),
      }),
      { description: 'None for a segment that never had a member.' },
    ),
    next: NEXT_CURSOR,
  }),
});

const SEGMENT_CHANGE = Type.Object({
  number: Type.Integer({ description: 'Counts from 1 for each profile, over all its segments, without gaps.' }),
  segment: Type.String(),
  change: Type.String({ description: 'entered or left.' }),
  cause: Type.String({ description: 'event, timer, definition or merge.' }),
  at: TIME,
  reasons: Type.Array(Type.String()),
  evidence: Type.Record(Type.String(), Type.Union([Type.Number(), Type.String(), Type.Boolean(), Type.Null()]), {
    description: 'The values that the condition read.',
  }),
  segmentsVersion: Type.Integer(),
});

export const listSegmentChanges = defineOperation({
  id: 'listSegmentChanges',
  method: 'GET',
  path: '/v1/segment-changes',
  access: 'read',
  summary: "A user's entries into segments and exits, newest first.",
  query: Type.Object({ userId: USER_ID, ...PAGE_QUERY }),
  answer: Type.Object({ userId: Type.String(), changes: Type.Array(SEGMENT_CHANGE), next: NEXT_CURSOR }),
});

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [
  getProfile,
  countStages,
  listTransitions,
  listSegments,
  listMembers,
  listSegmentChanges,
];
