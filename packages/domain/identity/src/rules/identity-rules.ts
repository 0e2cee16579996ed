import { ID_STRENGTHS } from '../profile-ref.js';
import { type IdPath, type JsonObject, type PathRoot, readIdPath, withoutField } from './id-path.js';
import { type IdForm, normaliseId } from './normalise-id.js';

/** A kind of ids, as `identity.yaml` declares it. */
export interface IdKind extends IdForm {
  readonly name: string;
  /** Which of two ids is the root when they join; no two kinds have the same. Records and states hold it: for good. */
  readonly strength: number;
  /** Two profiles whose strongest ids are of this kind are two persons, whatever weaker ids they share. */
  readonly unique: boolean;
  /** Profiles that may name one value; the others are cut off. Undefined for no limit but that of members. */
  readonly maxProfiles: number | undefined;
  /** Where events name it, the first ones first. Those of users and devices are the fields that events are keyed by. */
  readonly read: readonly IdPath[];
  /** Values that stand for nobody, normalised. */
  readonly guarded: ReadonlySet<string>;
}

/** An id of a kind that an event names beside the one that it is keyed by. */
export interface ReadId {
  readonly kind: IdKind;
  readonly value: string;
}

/** The ids of an event, and how many values were no ids. */
export interface ReadIds {
  readonly ids: readonly ReadId[];
  /** Values that are no id of their kind, or guarded, or one too many. */
  readonly ignored: number;
}

/** Ids of other kinds that one event may name: each is in its record, and may cost three more. */
export const READ_IDS_MAX = 8;

/** Kinds that are there without being declared: what events are keyed by. */
export const KEY_KINDS = { user: 'user', anonymous: 'anonymous' } as const;

/** Which kinds of ids there are, and what joins by them. */
export class IdentityRules {
  /** The strongest first. */
  readonly kinds: readonly IdKind[];
  /** Those besides users and devices. */
  readonly others: readonly IdKind[];
  readonly #byStrength: ReadonlyMap<number, IdKind>;
  /** Paths below each root that name ids of other kinds. */
  readonly #fields: ReadonlyMap<string, ReadonlyArray<readonly string[]>>;

  constructor(kinds: readonly IdKind[]) {
    this.kinds = kinds.toSorted((a, b) => b.strength - a.strength);
    this.others = this.kinds.filter(({ name }) => !Object.hasOwn(KEY_KINDS, name));
    this.#byStrength = new Map(kinds.map((kind) => [kind.strength, kind]));
    this.#fields = toFields(this.others);
  }

  /** Undefined for a kind that these rules do not have. */
  kindOf(strength: number): IdKind | undefined {
    return this.#byStrength.get(strength);
  }

  /** Whether a person has one id of the kind with this strength. */
  isUnique(strength: number): boolean {
    return this.#byStrength.get(strength)?.unique ?? false;
  }

  /** Profiles that may name one value of the kind with this strength; undefined for no limit. */
  profilesMax(strength: number): number | undefined {
    return this.#byStrength.get(strength)?.maxProfiles;
  }

  /** Reads the ids of other kinds that an event in the Segment shape names; each once, strongest first. */
  read(event: Readonly<Record<string, unknown>>, isPlaceholder: (id: string) => boolean): ReadIds {
    if (this.others.length === 0) return NO_IDS;
    const ids: ReadId[] = [];
    let ignored = 0;
    for (const kind of this.others) {
      const known = new Set<string>();
      for (const value of kind.read.flatMap((path) => readIdPath(event, path))) {
        const id = normaliseId(value, kind);
        if (id === undefined || kind.guarded.has(id) || isPlaceholder(String(value))) ignored += 1;
        else if (ids.length >= READ_IDS_MAX) ignored += known.has(id) ? 0 : 1;
        else if (!known.has(id)) {
          known.add(id);
          ids.push({ kind, value: id });
        }
      }
    }
    return { ids, ignored };
  }

  /**
   * What an event has at a root without the fields that are read for other kinds, ids or not, and how many were taken out;
   * the same object where none was.
   */
  withhold(root: PathRoot, object: JsonObject): { readonly kept: JsonObject; readonly count: number } {
    let kept = object;
    let count = 0;
    for (const names of this.#fields.get(root) ?? []) {
      const left = withoutField(kept, names);
      kept = left.kept;
      count += left.count;
    }
    return { kept, count };
  }
}

function toFields(kinds: readonly IdKind[]): Map<string, Array<readonly string[]>> {
  const fields = new Map<string, Array<readonly string[]>>();
  for (const path of kinds.flatMap(({ read }) => read)) {
    if (path.kind !== 'field') continue;
    const [root = '', ...names] = path.path;
    fields.set(root, [...(fields.get(root) ?? []), names]);
  }
  return fields;
}

const NO_IDS: ReadIds = { ids: [], ignored: 0 };

const USER: IdKind = {
  name: KEY_KINDS.user,
  strength: ID_STRENGTHS.user,
  unique: true,
  maxProfiles: undefined,
  read: [{ kind: 'field', path: ['userId'] }],
  normalise: 'none',
  guarded: new Set(),
};

const ANONYMOUS: IdKind = {
  ...USER,
  name: KEY_KINDS.anonymous,
  strength: ID_STRENGTHS.anonymous,
  unique: false,
  read: [{ kind: 'field', path: ['anonymousId'] }],
};

/** Settings of both kinds that events are keyed by, before a file says otherwise. */
export const KEY_KIND_DEFAULTS: Readonly<Record<keyof typeof KEY_KINDS, IdKind>> = { user: USER, anonymous: ANONYMOUS };

/** In force before the first rollout of rules. Must never change: a log is read the same for ever. */
export const INITIAL_RULES = new IdentityRules([USER, ANONYMOUS]);

/**
 * Why rules cannot follow others: an id keeps the strength that records and states give it. Undefined when they can. A
 * kind that is left out is read no longer, and keeps its strength all the same.
 */
export function findMovedKind(rules: IdentityRules, before: IdentityRules): string | undefined {
  for (const { name, strength } of rules.kinds) {
    const known = before.kinds.find((kind) => kind.name === name);
    if (known !== undefined && known.strength !== strength)
      return `the kind ${name} has the strength ${strength}, and ${known.strength} in rules before these: ids that have joined point to the stronger one`;
    const other = before.kindOf(strength);
    if (other !== undefined && other.name !== name)
      return `the kind ${name} has the strength ${strength}, which is that of ${other.name} in rules before these`;
  }
  return undefined;
}
