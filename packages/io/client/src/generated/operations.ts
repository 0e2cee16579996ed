// Generated from proto/openapi by scripts/generate-openapi.mjs: do not edit.

/** What each operation takes and answers. */
export interface Operations {
  /** What time the log has. */
  getClock: {
    answer: {
      readonly mode: 'wall' | 'events';
      /** Null before the first tick. */
      readonly logTime: string | null;
    };
  };
  /** Writes ticks up to a time, to every partition, where events drive the clock. */
  advanceClock: {
    body: {
      /** Log time to reach. ISO 8601, or ms since 1970. */
      readonly to: string | number;
      /** Where ticks begin when there is none yet. ISO 8601, or ms since 1970. */
      readonly from?: string | number | undefined;
      /** Log time between two ticks. */
      readonly stepMs?: number | undefined;
      /** Next offsets of event.received, by partition, to take in before. */
      readonly received?: Readonly<Record<string, number>> | undefined;
    };
    answer: {
      readonly logTime: string;
    };
  };
  /** By which rules about ids this process reads events. */
  getRules: {
    answer: {
      readonly identity: {
        /** SHA-256 of the file; null before any rollout. */
        readonly hash: string | null;
        /** The strongest first. */
        readonly kinds: ReadonlyArray<string>;
      };
    };
  };
  /** A user's features. */
  getFeatures: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    query: {
      /** Features wanted, comma-separated; default: all. */
      readonly names?: string | undefined;
    };
    answer: {
      readonly userId: string;
      /** False for a profile without events, which has the features of nothing. */
      readonly known: boolean;
      /** The log's time that the features are current to. */
      readonly asOf: string;
      /** Of the feature spec in force, which decides names and meanings. */
      readonly specHash: string;
      /** By name; null where there is no value. */
      readonly features: Readonly<Record<string, number | null>>;
      /** Features that still have an event that was taken back; each is right again once its window has passed it. */
      readonly inexact: ReadonlyArray<string>;
      /** Unit of each feature, by name; of money the namespace's currency, a code of ISO 4217. */
      readonly units: Readonly<Record<string, string>>;
    };
  };
  /** Features of many users, in the order asked for, repeats included. */
  getFeaturesOfMany: {
    body: {
      readonly userIds: ReadonlyArray<string | number>;
      /** Features wanted; default: all. */
      readonly names?: ReadonlyArray<string> | undefined;
    };
    answer: {
      readonly profiles: ReadonlyArray<{
        readonly userId: string;
        /** False for a profile without events, which has the features of nothing. */
        readonly known: boolean;
        /** The log's time that the features are current to. */
        readonly asOf: string;
        /** Of the feature spec in force, which decides names and meanings. */
        readonly specHash: string;
        /** By name; null where there is no value. */
        readonly features: Readonly<Record<string, number | null>>;
        /** Features that still have an event that was taken back; each is right again once its window has passed it. */
        readonly inexact: ReadonlyArray<string>;
      }>;
      /** Unit of each feature, by name; of money the namespace's currency, a code of ISO 4217. */
      readonly units: Readonly<Record<string, string>>;
    };
  };
  /** What is known of a user: traits, account, newest events, features. */
  getKnownProfile: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    answer: {
      readonly userId: string;
      /** False for a profile without events, which has the features of nothing. */
      readonly known: boolean;
      /** The log's time that the features are current to. */
      readonly asOf: string;
      /** Of the feature spec in force, which decides names and meanings. */
      readonly specHash: string;
      /** By name; null where there is no value. */
      readonly features: Readonly<Record<string, number | null>>;
      /** Features that still have an event that was taken back; each is right again once its window has passed it. */
      readonly inexact: ReadonlyArray<string>;
      /** Unit of each feature, by name; of money the namespace's currency, a code of ISO 4217. */
      readonly units: Readonly<Record<string, string>>;
      /** Pseudonym of the profile; of one that has joined another, of that one. */
      readonly profileKey: string;
      /** Of the newest event that has one, else ''. */
      readonly timeZone: string;
      readonly lastEventAt: string | null;
      /** By name; only those that are declared not to be personal. */
      readonly traits: ReadonlyArray<{
        /** Names from the outside in, with dots between them. */
        readonly name: string;
        /** text, number, boolean or time. */
        readonly type: string;
        readonly value: string | number | boolean | null;
        /** When it was last said. */
        readonly at: string;
        /** Other values that it had, the newest first; null where it had been removed. */
        readonly before: ReadonlyArray<{
          readonly value: string | number | boolean | null;
          readonly at: string;
        }>;
      }>;
      /** The group that the profile joined last; null for none. */
      readonly account: {
        readonly id: string;
        readonly since: string;
      } | null;
      /** What that account has reported to it, as conditions read it; null for nothing. */
      readonly reported: {
        readonly asOf: string;
        readonly values: Readonly<Record<string, string | number | boolean | null>>;
      } | null;
      /** By name: those that were given by hand or by a list. */
      readonly tags: ReadonlyArray<{
        readonly name: string;
        readonly kind: 'manual' | 'imported';
        readonly owner: string;
        readonly since: string;
      }>;
      /** Properties that a tracking plan compares with their own history. */
      readonly outliers: ReadonlyArray<{
        readonly event: string;
        readonly property: string;
        /** Values that were far from those before them. */
        readonly flagged: number;
        /** Of the newest 32; null for fewer than 8. */
        readonly median: number | null;
        /** Of these, as a standard deviation. */
        readonly spread: number | null;
      }>;
      /** Of each feature `top_count`, `top_share` or `entropy`, by its name: the five most frequent ids of its window with their counts, the greatest first. An id of over 64 bytes ends in its hash. */
      readonly tops: Readonly<Record<string, ReadonlyArray<{
        readonly id: string;
        readonly count: number;
      }>>>;
      /** The newest 20, the newest first. */
      readonly events: ReadonlyArray<{
        readonly type: string;
        readonly name: string;
        readonly at: string;
      }>;
    };
  };
  /** What is known of an account: traits, members, newest events, features of what all its members did. */
  getAccount: {
    path: {
      /** Id of the group, as `group` events name it. */
      readonly groupId: string;
    };
    answer: {
      readonly groupId: string;
      /** False for an account never seen since a spec in force declares something of accounts. */
      readonly known: boolean;
      /** Pseudonym of the account. */
      readonly accountKey: string;
      /** The log's time that the features are current to. */
      readonly asOf: string;
      /** Of the feature spec in force, which decides names and meanings. */
      readonly specHash: string;
      /** By name; null where there is no value. */
      readonly features: Readonly<Record<string, number | null>>;
      /** Features that still have an event that was taken back; each is right again once its window has passed it. */
      readonly inexact: ReadonlyArray<string>;
      /** Unit of each feature, by name; of money the namespace's currency, a code of ISO 4217. */
      readonly units: Readonly<Record<string, string>>;
      readonly lastEventAt: string | null;
      /** By name; only those that are declared not to be personal. */
      readonly traits: ReadonlyArray<{
        /** Names from the outside in, with dots between them. */
        readonly name: string;
        /** text, number, boolean or time. */
        readonly type: string;
        readonly value: string | number | boolean | null;
        /** When it was last said. */
        readonly at: string;
        /** Other values that it had, the newest first; null where it had been removed. */
        readonly before: ReadonlyArray<{
          readonly value: string | number | boolean | null;
          readonly at: string;
        }>;
      }>;
      readonly members: {
        /** Profiles to which it reports what conditions may read. */
        readonly count: number;
        /** Events of further profiles, which count, but it does not report to them. */
        readonly cutOff: number;
        /** Log time of the last report to all. */
        readonly reportedAt: string | null;
      };
      /** The newest 20, the newest first. */
      readonly events: ReadonlyArray<{
        readonly type: string;
        readonly name: string;
        readonly at: string;
      }>;
    };
  };
  /** Whom an id belongs to, and which other ids do. */
  getIdentity: {
    path: {
      /** A user id, or an id of the kind in the query. */
      readonly id: string;
    };
    query: {
      /** user, anonymous, or another kind. */
      readonly kind?: string | undefined;
    };
    answer: {
      readonly id: string;
      /** user, anonymous, or another kind. */
      readonly kind: string;
      /** Pseudonym of the profile of an id. */
      readonly profileKey: string;
      /** False for an id never seen. */
      readonly known: boolean;
      /** The profiles that it joined, the one that it is now last; empty for one that joined nobody. */
      readonly joined: ReadonlyArray<{
        /** Pseudonym of the profile of an id. */
        readonly profileKey: string;
        /** Null for an id of another kind than user and anonymous: those stay sealed. */
        readonly id: string | null;
        /** user, anonymous, or another kind. */
        readonly kind: string;
        readonly since: string;
      }>;
      /** The ids that this profile has asked to join it, or that joined it. */
      readonly members: ReadonlyArray<{
        /** Pseudonym of the profile of an id. */
        readonly profileKey: string;
        /** Null for a user or a device. */
        readonly kind: string | null;
        /** False for one that was asked and handed nothing over. */
        readonly joined: boolean;
        readonly at: string;
      }>;
      /** Times that a further id was cut off, the members being too many. */
      readonly cutOff: number;
      /** Profiles that have named this id, or one that has joined it; 0 where no rule limits them. */
      readonly namedBy: number;
      /** How many of them join by this id, by the rules in force; the others are cut off. Null for no limit. */
      readonly namedByMax: number | null;
    };
  };
  /** Take back one event of a user: what it had added to features, once. */
  retractEvent: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    body: {
      /** Of the event. */
      readonly messageId: string;
      /** Why, for those who read the log. */
      readonly reason?: string | undefined;
      /** Who asks. */
      readonly by?: string | undefined;
      /** An event that has not come is not to count when it comes; default: 404 for it. */
      readonly early?: boolean | undefined;
    };
    answer: {
      /** Pseudonym of the profile; of one that has joined another, of that one. */
      readonly profileKey: string;
      readonly messageId: string;
      /** repeated: it was taken back before; not_counted: it had added nothing, being a repeat or poison. */
      readonly result: 'taken_back' | 'repeated' | 'early' | 'not_counted';
      readonly event: {
        readonly type: string;
        readonly name: string;
        readonly at: string;
      } | null;
      /** Features that still have an event that was taken back; each is right again once its window has passed it. */
      readonly inexact: ReadonlyArray<string>;
    };
  };
  /** The tags that a user was given by hand or by a list, and their newest changes. */
  getTags: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    answer: {
      readonly userId: string;
      /** Pseudonym of the profile; of one that has joined another, of that one. */
      readonly profileKey: string;
      /** By name. */
      readonly tags: ReadonlyArray<{
        readonly name: string;
        readonly kind: 'manual' | 'imported';
        readonly owner: string;
        readonly since: string;
      }>;
      /** The newest four of each tag, the newest first. */
      readonly history: ReadonlyArray<{
        readonly tag: string;
        readonly change: 'given' | 'taken';
        readonly kind: 'manual' | 'imported';
        readonly owner: string;
        readonly at: string;
      }>;
    };
  };
  /** Gives a user a tag of kind manual. */
  addTag: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    body: {
      /** A tag that the file of segments in force declares. */
      readonly tag: string;
      /** Who does it, for the history; default ''. */
      readonly owner?: string | undefined;
    };
    answer: {
      readonly userId: string;
      readonly tag: string;
      /** False where the profile, as it was seen, had the tag already, or did not have it. */
      readonly changed: boolean;
      /** False where the change is written and was not seen in the profile within 2 s. */
      readonly applied: boolean;
    };
  };
  /** Takes a tag of kind manual or imported from a user. */
  removeTag: {
    path: {
      /** External id of the user. */
      readonly userId: string;
      /** A tag that the file of segments in force declares. */
      readonly tag: string;
    };
    query: {
      /** Who does it, for the history; default ''. */
      readonly owner?: string | undefined;
    };
    answer: {
      readonly userId: string;
      readonly tag: string;
      /** False where the profile, as it was seen, had the tag already, or did not have it. */
      readonly changed: boolean;
      /** False where the change is written and was not seen in the profile within 2 s. */
      readonly applied: boolean;
    };
  };
  /** Gives users tags of kind imported, and takes them, in the order of the list. The same again changes nothing. */
  importTags: {
    body: {
      readonly changes: ReadonlyArray<{
        /** External id of the user. */
        readonly userId: string | number;
        /** A tag that the file of segments in force declares. */
        readonly tag: string;
        /** False: the tag is taken away; default true. */
        readonly given?: boolean | undefined;
        /** Who does it, for the history; default ''. */
        readonly owner?: string | undefined;
      }>;
    };
    answer: {
      /** Changes of what the profiles were seen to have. All of the list are written. */
      readonly changed: number;
      /** Changes of users who were seen to have the tag already, or not to have it. */
      readonly unchanged: number;
    };
  };
  /** Stage and scores of a user, as of the last commit. */
  getProfile: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    answer: {
      readonly userId: string;
      /** False for a profile never seen. */
      readonly known: boolean;
      /** Log time that stage and scores are current to. */
      readonly asOf: string | null;
      /** Null before the first. */
      readonly stage: string | null;
      /** When it entered the stage. */
      readonly since: string | null;
      /** Of its last transition; 0 before the first. */
      readonly transitionNumber: number;
      /** When time alone may move it next. */
      readonly nextCheckAt: string | null;
      /** By the name of the model's head; null without a model. */
      readonly scores: Readonly<Record<string, number>> | null;
      /** Segments that the profile is in. */
      readonly segments: ReadonlyArray<{
        readonly name: string;
        readonly since: string;
      }>;
    };
  };
  /** Profiles by stage. */
  countStages: {
    answer: {
      readonly profiles: number;
      readonly stages: Readonly<Record<string, number>>;
      /** What the count was behind by when the process last looked. */
      readonly transitionsNotYetCounted: number | null;
    };
  };
  /** A user's changes of stage, newest first. */
  listTransitions: {
    query: {
      /** External id of the user. */
      readonly userId: string;
      /** Items of the page, at most. */
      readonly limit?: number | undefined;
      /** Where to go on: `next` of the page before. */
      readonly cursor?: string | undefined;
    };
    answer: {
      readonly userId: string;
      readonly transitions: ReadonlyArray<{
        /** Counts from 1 for each profile, without gaps. */
        readonly number: number;
        /** Null for the first. */
        readonly from: string | null;
        readonly to: string;
        /** event, score, timer or merge. */
        readonly cause: string;
        readonly at: string;
        readonly reasons: ReadonlyArray<string>;
        /** The numbers that the condition read. */
        readonly evidence: Readonly<Record<string, number | null>>;
        readonly lifecycleVersion: number;
        readonly modelHash: string;
        /** What the model said, by the names of its heads. */
        readonly scores: Readonly<Record<string, number>>;
      }>;
      /** The cursor of the next page; null on the last one. */
      readonly next: string | null;
    };
  };
  /** The segments in force and those that still have members, with the number of members. */
  listSegments: {
    answer: {
      /** Number of the segments in force; null while there are none. */
      readonly version: number | null;
      /** In the order of the file in force. */
      readonly segments: ReadonlyArray<{
        readonly name: string;
        readonly members: number;
        /** Null for a segment that is no longer in force: its members leave at their next step. */
        readonly definition: {
          /** segment; rule, score, rank, manual or imported for a tag; class for one of a grid; cluster or cohort for one of a set. */
          readonly kind: string;
          /** Who is responsible for it; empty for nobody in particular. */
          readonly owner: string;
          readonly description: string;
          /** Who enters: a condition in CEL. */
          readonly when: string | null;
          /** Who leaves. */
          readonly leave: string | null;
          /** Who did one thing and not another within a time. */
          readonly sequence: {
            readonly did: {
              readonly type: string;
              /** Null for any. */
              readonly name: string | null;
            };
            readonly butNot: {
              readonly type: string;
              /** Null for any. */
              readonly name: string | null;
            };
            /** Milliseconds. */
            readonly withinMs: number;
          } | null;
          /** Milliseconds. */
          readonly minStayMs: number;
          /** Null for no end. */
          readonly maxStayMs: number | null;
        } | null;
      }>;
      /** Number of the population that thresholds follow from; null while there is none. */
      readonly population: number | null;
      /** Those in force, by grid and by rank tag; null while they are not known. */
      readonly thresholds: Readonly<Record<string, number | {
        readonly recency: ReadonlyArray<number>;
        readonly frequency: ReadonlyArray<number>;
        readonly money: ReadonlyArray<number>;
      } | null>>;
      /** What the counts were behind by when the process last looked. */
      readonly changesNotYetCounted: number | null;
    };
  };
  /** Members of a segment, in the order of their pseudonyms. */
  listMembers: {
    path: {
      /** Name of a segment. */
      readonly segment: string;
    };
    query: {
      /** Items of the page, at most. */
      readonly limit?: number | undefined;
      /** Where to go on: `next` of the page before. */
      readonly cursor?: string | undefined;
    };
    answer: {
      readonly segment: string;
      /** None for a segment that never had a member. */
      readonly members: ReadonlyArray<{
        /** Pseudonym of the profile. */
        readonly profileKey: string;
        /** External id; null for a profile that is known by an anonymous id only. */
        readonly userId: string | null;
        readonly since: string;
        /** All tags that the profile has, of any kind, in the order of the file. */
        readonly tags: ReadonlyArray<string>;
      }>;
      /** The cursor of the next page; null on the last one. */
      readonly next: string | null;
    };
  };
  /** A user's entries into segments and exits, newest first. */
  listSegmentChanges: {
    query: {
      /** External id of the user. */
      readonly userId: string;
      /** Items of the page, at most. */
      readonly limit?: number | undefined;
      /** Where to go on: `next` of the page before. */
      readonly cursor?: string | undefined;
    };
    answer: {
      readonly userId: string;
      readonly changes: ReadonlyArray<{
        /** Counts from 1 for each profile, over all its segments, without gaps. */
        readonly number: number;
        readonly segment: string;
        /** entered or left. */
        readonly change: string;
        /** event, timer, definition or merge. */
        readonly cause: string;
        readonly at: string;
        readonly reasons: ReadonlyArray<string>;
        /** The values that the condition read. */
        readonly evidence: Readonly<Record<string, number | string | boolean | null>>;
        readonly segmentsVersion: number;
      }>;
      /** The cursor of the next page; null on the last one. */
      readonly next: string | null;
    };
  };
  /** A user's actions, newest first, from the ledger. */
  listActions: {
    query: {
      /** External id of the user. */
      readonly userId: string;
      /** Items of the page, at most. */
      readonly limit?: number | undefined;
      /** Where to go on: `next` of the page before. */
      readonly cursor?: string | undefined;
    };
    answer: {
      readonly userId: string;
      readonly actions: ReadonlyArray<{
        readonly actionId: string;
        /** Pseudonym of the profile. */
        readonly profileKey: string;
        /** Strategy of the policy that chose it. */
        readonly strategy: string;
        readonly channel: string;
        readonly template: string;
        /** What the template needs. */
        readonly parameters: Readonly<Record<string, unknown>>;
        /** Stage of the profile when it was decided. */
        readonly stage: string;
        /** The one thing that led to it. */
        readonly cause: {
          readonly kind: string;
          readonly id: string;
        };
        readonly reasons: ReadonlyArray<string>;
        readonly policyVersion: number;
        readonly modelHash: string;
        /** What the model said, by the names of its heads. */
        readonly scores: Readonly<Record<string, number>>;
        /** In log time. */
        readonly decidedAt: string;
        readonly expiresAt: string;
        /** Expected, in the currency of the events. */
        readonly cost: number;
        /** Of its life: decided, delivered, opened ...; never goes back. */
        readonly state: string;
        /** What was reported of it, the first ones first; 100 at most. */
        readonly outcomes: ReadonlyArray<{
          readonly outcome: string;
          readonly at: string;
          /** Empty where nobody said it. */
          readonly channel: string;
          readonly value: number | null;
        }>;
      }>;
      /** The cursor of the next page; null on the last one. */
      readonly next: string | null;
    };
  };
  /** One action, with what came of it, from the ledger. */
  getAction: {
    path: {
      readonly actionId: string;
    };
    answer: {
      readonly actionId: string;
      /** Pseudonym of the profile. */
      readonly profileKey: string;
      /** Strategy of the policy that chose it. */
      readonly strategy: string;
      readonly channel: string;
      readonly template: string;
      /** What the template needs. */
      readonly parameters: Readonly<Record<string, unknown>>;
      /** Stage of the profile when it was decided. */
      readonly stage: string;
      /** The one thing that led to it. */
      readonly cause: {
        readonly kind: string;
        readonly id: string;
      };
      readonly reasons: ReadonlyArray<string>;
      readonly policyVersion: number;
      readonly modelHash: string;
      /** What the model said, by the names of its heads. */
      readonly scores: Readonly<Record<string, number>>;
      /** In log time. */
      readonly decidedAt: string;
      readonly expiresAt: string;
      /** Expected, in the currency of the events. */
      readonly cost: number;
      /** Of its life: decided, delivered, opened ...; never goes back. */
      readonly state: string;
      /** What was reported of it, the first ones first; 100 at most. */
      readonly outcomes: ReadonlyArray<{
        readonly outcome: string;
        readonly at: string;
        /** Empty where nobody said it. */
        readonly channel: string;
        readonly value: number | null;
      }>;
    };
  };
  /** Actions and their cost by strategy, and why others were not taken. */
  getActionSummary: {
    answer: {
      readonly actions: {
        readonly total: number;
        readonly cost: number;
        readonly byStrategy: Readonly<Record<string, number>>;
      };
      /** Of the process that answers, since it began. */
      readonly process: {
        readonly results: Readonly<Record<string, number>>;
        readonly suppressed: Readonly<Record<string, number>>;
      };
      /** Records of action.decided that the ledger has not got yet. */
      readonly ledgerLag: number;
    };
  };
  /** Experiments that had a say about anybody, with the profiles of each arm. */
  listExperiments: {
    answer: {
      readonly arms: ReadonlyArray<{
        readonly experiment: string;
        readonly layer: string;
        readonly arm: string;
        /** Probability of this arm. */
        readonly propensity: number;
        /** By their first exposure. */
        readonly profiles: number;
        readonly firstAt: string;
        readonly lastAt: string;
      }>;
      /** Records of experiment.assigned that are not counted yet. */
      readonly lag: number;
    };
  };
  /** Who is in which arm of an experiment, by first exposure, the earliest first. */
  listExposures: {
    path: {
      /** Its name in the policy. */
      readonly name: string;
    };
    query: {
      /** Items of the page, at most. */
      readonly limit?: number | undefined;
      /** Where to go on: `next` of the page before. */
      readonly cursor?: string | undefined;
    };
    answer: {
      readonly exposures: ReadonlyArray<{
        /** Pseudonym of the profile. */
        readonly profileKey: string;
        readonly arm: string;
        readonly propensity: number;
        readonly firstAt: string;
      }>;
      /** The cursor of the next page; null on the last one. */
      readonly next: string | null;
    };
  };
  /** A user's waiting actions, and the contacts that caps and cooldowns count. */
  getContacts: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    answer: {
      readonly userId: string;
      /** In the order in which they are due. */
      readonly waiting: ReadonlyArray<{
        readonly strategy: string;
        readonly cause: {
          readonly kind: string;
          readonly id: string;
        };
        readonly causedAt: string;
        /** End of quiet hours: then it is decided again. */
        readonly dueAt: string;
        readonly expiresAt: string;
        readonly reasons: ReadonlyArray<string>;
      }>;
      /** The oldest first. */
      readonly contacts: ReadonlyArray<{
        readonly at: string;
        readonly channel: string;
        readonly strategy?: string | undefined;
        readonly category?: string | undefined;
      }>;
      /** When each event last came that begins a do-not-disturb or opens a reply window. */
      readonly events: Readonly<Record<string, string>>;
      /** One-time grants that are left, by channel. */
      readonly grants: Readonly<Record<string, number>>;
      /** By strategy, while its cooldown lasts. */
      readonly lastUsed: Readonly<Record<string, string>>;
    };
  };
  /** What the policy in force would decide for a user now, step by step, and why not; publishes and changes nothing. */
  explainDecision: {
    path: {
      /** External id of the user. */
      readonly userId: string;
    };
    body: {
      readonly stage: string;
      /** As if the profile had entered the stage now; default false. */
      readonly entered?: boolean | undefined;
      readonly stageSince: string | null;
      readonly lastEventAt: string | null;
      readonly timeZone: string;
      readonly features: Readonly<Record<string, number | null>>;
      /** By whole name, such as traits.plan; times in milliseconds. */
      readonly attributes: Readonly<Record<string, string | number | boolean | null>>;
      readonly scores: Readonly<Record<string, number>> | null;
      readonly segments: ReadonlyArray<string> | null;
    };
    answer: {
      readonly userId: string;
      readonly policyVersion: number;
      readonly at: string;
      /** decided, deferred, suppressed or no_candidate. */
      readonly result: string;
      readonly action: {
        readonly strategy: string;
        readonly reasons: ReadonlyArray<string>;
        /** End of quiet hours; null for now. */
        readonly dueAt: string | null;
        readonly expiresAt: string;
      } | null;
      readonly nothing: {
        readonly step: string;
        readonly reason: string;
      } | null;
      /** In their order; every strategy of the policy that leads to no action is in one. */
      readonly steps: ReadonlyArray<{
        readonly step: string;
        readonly dropped: ReadonlyArray<{
          readonly strategy: string;
          /** Of the closed set of the step. */
          readonly reason: string;
        }>;
      }>;
    };
  };
}

/** Where each operation is. */
export const ROUTES = {
  getClock: { service: 'ingest', method: 'GET', path: '/v1/clock' },
  advanceClock: { service: 'ingest', method: 'POST', path: '/v1/clock' },
  getRules: { service: 'ingest', method: 'GET', path: '/v1/rules' },
  getFeatures: { service: 'feature-store', method: 'GET', path: '/v1/features/{userId}' },
  getFeaturesOfMany: { service: 'feature-store', method: 'POST', path: '/v1/features' },
  getKnownProfile: { service: 'feature-store', method: 'GET', path: '/v1/profiles/{userId}' },
  getAccount: { service: 'feature-store', method: 'GET', path: '/v1/accounts/{groupId}' },
  getIdentity: { service: 'feature-store', method: 'GET', path: '/v1/identities/{id}' },
  retractEvent: { service: 'feature-store', method: 'POST', path: '/v1/profiles/{userId}/retractions' },
  getTags: { service: 'feature-store', method: 'GET', path: '/v1/profiles/{userId}/tags' },
  addTag: { service: 'feature-store', method: 'POST', path: '/v1/profiles/{userId}/tags' },
  removeTag: { service: 'feature-store', method: 'DELETE', path: '/v1/profiles/{userId}/tags/{tag}' },
  importTags: { service: 'feature-store', method: 'POST', path: '/v1/tag-changes' },
  getProfile: { service: 'scoring', method: 'GET', path: '/v1/profiles/{userId}' },
  countStages: { service: 'scoring', method: 'GET', path: '/v1/stages' },
  listTransitions: { service: 'scoring', method: 'GET', path: '/v1/transitions' },
  listSegments: { service: 'scoring', method: 'GET', path: '/v1/segments' },
  listMembers: { service: 'scoring', method: 'GET', path: '/v1/segments/{segment}/members' },
  listSegmentChanges: { service: 'scoring', method: 'GET', path: '/v1/segment-changes' },
  listActions: { service: 'action', method: 'GET', path: '/v1/actions' },
  getAction: { service: 'action', method: 'GET', path: '/v1/actions/{actionId}' },
  getActionSummary: { service: 'action', method: 'GET', path: '/v1/summary' },
  listExperiments: { service: 'action', method: 'GET', path: '/v1/experiments' },
  listExposures: { service: 'action', method: 'GET', path: '/v1/experiments/{name}/exposures' },
  getContacts: { service: 'action', method: 'GET', path: '/v1/contacts/{userId}' },
  explainDecision: { service: 'action', method: 'POST', path: '/v1/explanations/{userId}' },
} as const;
