import { EXTERNAL_ID_CHARS_MAX } from '@perennial/privacy';
import { defineOperation, type Operation, Type } from '@perennial/service-host';

/** Maximum profiles per request. */
export const USER_IDS_MAX = 1_000;

const USER_ID = Type.String({
  minLength: 1,
  maxLength: EXTERNAL_ID_CHARS_MAX,
  description: 'External id of the user.',
});

/** A whole number counts as its text, as in events. */
const USER_ID_IN_BODY = Type.Unsafe<string | number>({ ...USER_ID, type: ['string', 'integer'] });

const PROFILE_FEATURES = {
  userId: Type.String(),
  known: Type.Boolean({ description: 'False for a profile never seen, which has the features of nothing.' }),
  asOf: Type.String({ format: 'date-time', description: "The log's time that the features are current to." }),
  features: Type.Record(Type.String(), Type.Union([Type.Number(), Type.Null()]), {
    description: 'By name; null where there is no value.',
  }),
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
  answer: Type.Object({ ...PROFILE_FEATURES, ...UNITS }),
});

export const getFeaturesOfMany = defineOperation({
  id: 'getFeaturesOfMany',
  method: 'POST',
  path: '/v1/features',
  access: 'read',
  summary: 'Features of many users, in the order asked for, repeats included.',
  body: Type.Object({ userIds: Type.Array(USER_ID_IN_BODY, { maxItems: USER_IDS_MAX }) }),
  answer: Type.Object({ profiles: Type.Array(Type.Object(PROFILE_FEATURES)), ...UNITS }),
});

/** The HTTP contract of this service. */
export const OPERATIONS: readonly Operation[] = [getFeatures, getFeaturesOfMany];
