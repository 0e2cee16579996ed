import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';
import { defineOperation, type Operation, Type } from '@perennial/service-host';
import { TEXT_CHARS_MAX } from '../identity/check-refs.js';

/** Maximum profiles per request. */
export const USER_IDS_MAX = 1_000;

/** Maximum names per request: the features that a spec can have. */
const FEATURES_MAX = 256;
/** Names of 63 characters each, and commas. */
const NAMES_CHARS_MAX = FEATURES_MAX * 64;

const USER_ID = Type.String({
  minLength: 1,
  maxLength: EXTERNAL_ID_CHARS_MAX,
  description: 'External id of the user.',
});

/** A whole number counts as its text, as in events. */
const USER_ID_IN_BODY = Type.Unsafe<string | number>({ ...USER_ID, type: ['string', 'integer'] });

const INEXACT = Type.Array(Type.String(), {
  description:
    'Features that still have an event that was taken back; each is right again once its window has passed it.',
});

const PROFILE_FEATURES = {
  userId: Type.String(),
  known: Type.Boolean({ description: 'False for a profile without events, which has the features of nothing.' }),
  asOf: Type.String({ format: 'date-time', description: "The log's time that the features are current to." }),
  specHash: Type.String({ description: 'Of the feature spec in force, which decides names and meanings.' }),
  features: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()]), {
    description: 'By name; null where there is no value.',
  }),
  inexact: INEXACT,
};

const UNITS = {
  units: Type.Record(Type.String(), Type.String(), {
    description: "Unit of each feature, by name; of money the namespace's currency, a code of ISO 4217.",
  }),
};

export const getFeatures = defineOperation({
  id: 'getFeatures',
  method: 'GET',
  path: '/v1/features/{userId}',
  access: 'read',
  summary: "A user's features.",
  parameters: Type.Object({ userId: USER_ID }),
  query: Type.Object({
    names: Type.Optional(
      Type.String({ maxLength: NAMES_CHARS_MAX, description: 'Features wanted, comma-separated; default: all.' }),
    ),
  }),
  answer: Type.Object({ ...PROFILE_FEATURES, ...UNITS }),
});

const TIME = Type.String({ format: 'date-time' });
const TRAIT_VALUE = Type.Union([Type.String(), Type.Number(), Type.Boolean(), Type.Null()]);

const TRAIT = Type.Object({
  name: Type.String({ description: 'Names from the outside in, with dots between them.' }),
  type: Type.String({ description: 'text, number, boolean or time.' }),
  value: TRAIT_VALUE,
  at: Type.String({ format: 'date-time', description: 'When it was last said.' }),
  before: Type.Array(Type.Object({ value: TRAIT_VALUE, at: TIME }), {
    description: 'Other values that it had, the newest first; null where it had been removed.',
  }),
});

const TAG_KIND = Type.Union([Type.Literal('manual'), Type.Literal('imported')]);
const TAG = Type.Object({ name: Type.String(), kind: TAG_KIND, owner: Type.String(), since: TIME });

export const getKnownProfile = defineOperation({
  id: 'getKnownProfile',
  method: 'GET',
  path: '/v1/profiles/{userId}',
  access: 'read',
  summary: 'What is known of a user: traits, account, newest events, features.',
  parameters: Type.Object({ userId: USER_ID }),
  answer: Type.Object({
    ...PROFILE_FEATURES,
    ...UNITS,
    profileKey: Type.String({ description: 'Pseudonym of the profile; of one that has joined another, of that one.' }),
    timeZone: Type.String({ description: "Of the newest event that has one, else ''." }),
    lastEventAt: Type.Union([TIME, Type.Null()]),
    traits: Type.Array(TRAIT, { description: 'By name; only those that are declared not to be personal.' }),
    account: Type.Union([Type.Object({ id: Type.String(), since: TIME }), Type.Null()], {
      description: 'The group that the profile joined last; null for none.',
    }),
    reported: Type.Union([Type.Object({ asOf: TIME, values: Type.Record(Type.String(), TRAIT_VALUE) }), Type.Null()], {
      description: 'What that account has reported to it, as conditions read it; null for nothing.',
    }),
    tags: Type.Array(TAG, { description: 'By name: those that were given by hand or by a list.' }),
    outliers: Type.Array(
      Type.Object({
        event: Type.String(),
        property: Type.String(),
        flagged: Type.Integer({ description: 'Values that were far from those before them.' }),
        median: Type.Union([Type.Number(), Type.Null()], { description: 'Of the newest 32; null for fewer than 8.' }),
        spread: Type.Union([Type.Number(), Type.Null()], { description: 'Of these, as a standard deviation.' }),
      }),
      { description: 'Properties that a tracking plan compares with their own history.' },
    ),
    tops: Type.Record(Type.String(), Type.Array(Type.Object({ id: Type.String(), count: Type.Integer() })), {
      description:
        'Of each feature `top_count`, `top_share` or `entropy`, by its name: the five most frequent ids of its window with their counts, the greatest first. An id of over 64 bytes ends in its hash.',
    }),
    events: Type.Array(Type.Object({ type: Type.String(), name: Type.String(), at: TIME }), {
      description: 'The newest 20, the newest first.',
    }),
  }),
});

export const getAccount = defineOperation({
  id: 'getAccount',
  method: 'GET',
  path: '/v1/accounts/{groupId}',
  access: 'read',
  summary: 'What is known of an account: traits, members, newest events, features of what all its members did.',
  parameters: Type.Object({
    groupId: Type.String({
      minLength: 1,
      maxLength: EXTERNAL_ID_CHARS_MAX,
      description: 'Id of the group, as `group` events name it.',
    }),
  }),
  answer: Type.Object({
    groupId: Type.String(),
    known: Type.Boolean({
      description: 'False for an account never seen since a spec in force declares something of accounts.',
    }),
    accountKey: Type.String({ description: 'Pseudonym of the account.' }),
    asOf: PROFILE_FEATURES.asOf,
    specHash: PROFILE_FEATURES.specHash,
    features: PROFILE_FEATURES.features,
    inexact: INEXACT,
    ...UNITS,
    lastEventAt: Type.Union([TIME, Type.Null()]),
    traits: Type.Array(TRAIT, { description: 'By name; only those that are declared not to be personal.' }),
    members: Type.Object({
      count: Type.Integer({ description: 'Profiles to which it reports what conditions may read.' }),
      cutOff: Type.Integer({ description: 'Events of further profiles, which count, but it does not report to them.' }),
      reportedAt: Type.Union([TIME, Type.Null()], { description: 'Log time of the last report to all.' }),
    }),
    events: Type.Array(Type.Object({ type: Type.String(), name: Type.String(), at: TIME }), {
      description: 'The newest 20, the newest first.',
    }),
  }),
});

export const getFeaturesOfMany = defineOperation({
  id: 'getFeaturesOfMany',
  method: 'POST',
  path: '/v1/features',
  access: 'read',
  summary: 'Features of many users, in the order asked for, repeats included.',
  body: Type.Object({
    userIds: Type.Array(USER_ID_IN_BODY, { maxItems: USER_IDS_MAX }),
    names: Type.Optional(
      Type.Array(Type.String(), { maxItems: FEATURES_MAX, description: 'Features wanted; default: all.' }),
    ),
  }),
  answer: Type.Object({ profiles: Type.Array(Type.Object(PROFILE_FEATURES)), ...UNITS }),
});

/** Of a message id, as ingest takes it. */
const MESSAGE_ID_CHARS_MAX = 100;

export const retractEvent = defineOperation({
  id: 'retractEvent',
  method: 'POST',
  path: '/v1/profiles/{userId}/retractions',
  access: 'operate',
  summary: 'Take back one event of a user: what it had added to features, once.',
  parameters: Type.Object({ userId: USER_ID }),
  body: Type.Object({
    messageId: Type.String({ minLength: 1, maxLength: MESSAGE_ID_CHARS_MAX, description: 'Of the event.' }),
    reason: Type.Optional(Type.String({ maxLength: TEXT_CHARS_MAX, description: 'Why, for those who read the log.' })),
    by: Type.Optional(Type.String({ maxLength: TEXT_CHARS_MAX, description: 'Who asks.' })),
    early: Type.Optional(
      Type.Boolean({ description: 'An event that has not come is not to count when it comes; default: 404 for it.' }),
    ),
  }),
  answer: Type.Object({
    profileKey: Type.String({ description: 'Pseudonym of the profile; of one that has joined another, of that one.' }),
    messageId: Type.String(),
    result: Type.Union(
      [Type.Literal('taken_back'), Type.Literal('repeated'), Type.Literal('early'), Type.Literal('not_counted')],
      {
        description: 'repeated: it was taken back before; not_counted: it had added nothing, being a repeat or poison.',
      },
    ),
    event: Type.Union([Type.Object({ type: Type.String(), name: Type.String(), at: TIME }), Type.Null()]),
    inexact: INEXACT,
  }),
  problems: { 404: 'No event of this user has the message id.' },
});

const PROFILE_KEY = Type.String({ description: 'Pseudonym of the profile of an id.' });

const ID_KIND = Type.String({ minLength: 1, maxLength: 32, description: 'user, anonymous, or another kind.' });
const SHOWN_ID = Type.Union([Type.String(), Type.Null()], {
  description: 'Null for an id of another kind than user and anonymous: those stay sealed.',
});

export const getIdentity = defineOperation({
  id: 'getIdentity',
  method: 'GET',
  path: '/v1/identities/{id}',
  access: 'read',
  summary: 'Whom an id belongs to, and which other ids do.',
  parameters: Type.Object({
    id: Type.String({
      minLength: 1,
      maxLength: EXTERNAL_ID_CHARS_MAX,
      description: 'A user id, or an id of the kind in the query.',
    }),
  }),
  query: Type.Object({ kind: Type.Optional(ID_KIND) }),
  answer: Type.Object({
    id: Type.String(),
    kind: ID_KIND,
    profileKey: PROFILE_KEY,
    known: Type.Boolean({ description: 'False for an id never seen.' }),
    joined: Type.Array(Type.Object({ profileKey: PROFILE_KEY, id: SHOWN_ID, kind: ID_KIND, since: TIME }), {
      description: 'The profiles that it joined, the one that it is now last; empty for one that joined nobody.',
    }),
    members: Type.Array(
      Type.Object({
        profileKey: PROFILE_KEY,
        kind: Type.Union([ID_KIND, Type.Null()], { description: 'Null for a user or a device.' }),
        joined: Type.Boolean({ description: 'False for one that was asked and handed nothing over.' }),
        at: TIME,
      }),
      { description: 'The ids that this profile has asked to join it, or that joined it.' },
    ),
    cutOff: Type.Integer({ description: 'Times that a further id was cut off, the members being too many.' }),
    namedBy: Type.Integer({
      description: 'Profiles that have named this id, or one that has joined it; 0 where no rule limits them.',
    }),
    namedByMax: Type.Union([Type.Integer(), Type.Null()], {
      description:
        'How many of them join by this id, by the rules in force; the others are cut off. Null for no limit.',
    }),
  }),
});

/** Changes of tags per request. */
export const TAG_CHANGES_MAX = 1_000;

const TAG_NAME = Type.String({
  pattern: '^[a-z][a-z0-9_]{0,62}$',
  description: 'A tag that the file of segments in force declares.',
});
const TAG_OWNER = Type.String({ maxLength: 100, description: "Who does it, for the history; default ''." });
const TAG_RESULT = Type.Object({
  userId: Type.String(),
  tag: Type.String(),
  changed: Type.Boolean({
    description: 'False where the profile, as it was seen, had the tag already, or did not have it.',
  }),
  applied: Type.Boolean({
    description: 'False where the change is written and was not seen in the profile within 2 s.',
  }),
});
const TAG_PROBLEMS = {
  409: 'The profile has as many tags as it can have, in the order of the log: nothing is written; or one change was written, and others had come first. While its state lags behind the log for 2 s, 503 says so.',
};

export const getTags = defineOperation({
  id: 'getTags',
  method: 'GET',
  path: '/v1/profiles/{userId}/tags',
  access: 'read',
  summary: 'The tags that a user was given by hand or by a list, and their newest changes.',
  parameters: Type.Object({ userId: USER_ID }),
  answer: Type.Object({
    userId: Type.String(),
    profileKey: Type.String({ description: 'Pseudonym of the profile; of one that has joined another, of that one.' }),
    tags: Type.Array(TAG, { description: 'By name.' }),
    history: Type.Array(
      Type.Object({
        tag: Type.String(),
        change: Type.Union([Type.Literal('given'), Type.Literal('taken')]),
        kind: TAG_KIND,
        owner: Type.String(),
        at: TIME,
      }),
      { description: 'The newest four of each tag, the newest first.' },
    ),
  }),
});

export const addTag = defineOperation({
  id: 'addTag',
  method: 'POST',
  path: '/v1/profiles/{userId}/tags',
  access: 'write',
  summary: 'Gives a user a tag of kind manual.',
  parameters: Type.Object({ userId: USER_ID }),
  body: Type.Object({ tag: TAG_NAME, owner: Type.Optional(TAG_OWNER) }),
  answer: TAG_RESULT,
  problems: TAG_PROBLEMS,
});

export const removeTag = defineOperation({
  id: 'removeTag',
  method: 'DELETE',
  path: '/v1/profiles/{userId}/tags/{tag}',
  access: 'write',
  summary: 'Takes a tag of kind manual or imported from a user.',
  parameters: Type.Object({ userId: USER_ID, tag: TAG_NAME }),
  query: Type.Object({ owner: Type.Optional(TAG_OWNER) }),
  answer: TAG_RESULT,
});

export const importTags = defineOperation({
  id: 'importTags',
  method: 'POST',
  path: '/v1/tag-changes',
  access: 'write',
  summary:
    'Gives users tags of kind imported, and takes them, in the order of the list. The same again changes nothing.',
  body: Type.Object({
    changes: Type.Array(
      Type.Object({
        userId: USER_ID_IN_BODY,
        tag: TAG_NAME,
        given: Type.Optional(Type.Boolean({ description: 'False: the tag is taken away; default true.' })),
        owner: Type.Optional(TAG_OWNER),
      }),
      { maxItems: TAG_CHANGES_MAX },
    ),
  }),
  answer: Type.Object({
    changed: Type.Integer({
      description: 'Changes of what the profiles were seen to have. All of the list are written.',
    }),
    unchanged: Type.Integer({
      description: 'Changes of users who were seen to have the tag already, or not to have it.',
    }),
  }),
  problems: TAG_PROBLEMS,
});

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [
  getFeatures,
  getFeaturesOfMany,
  getKnownProfile,
  getAccount,
  getIdentity,
  retractEvent,
  getTags,
  addTag,
  removeTag,
  importTags,
];
