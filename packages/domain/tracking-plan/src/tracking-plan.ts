import type { ErrorObject, ValidateFunction } from 'ajv';
import { NO_FIELDS, type PersonalFields, toPlainName, withhold } from './personal.js';

/** What becomes of an event that a plan does not allow; `ignore` is for events that it does not name. */
export const ON_VIOLATION = ['accept', 'reject'] as const;
export type OnViolation = (typeof ON_VIOLATION)[number];

/** The calls that a plan has rules for; `alias` has nothing but ids. */
type PlannedType = 'track' | 'page' | 'screen' | 'identify' | 'group';

/** What is wrong with an event: a closed set, used as a metric's label. */
type ViolationReason = 'unplanned_event' | 'unplanned_property' | 'missing' | 'wrong_type' | 'wrong_value' | 'no_match';

export interface PlanViolation {
  readonly reason: ViolationReason;
  /** JSON pointer into the properties or traits; '' for all of them. */
  readonly path: string;
  readonly message: string;
}

/** Violations that are reported of one event; a list of 10,000 wrong items is one mistake. */
const VIOLATIONS_MAX = 8;
const PATH_CHARS_MAX = 200;

const NONE: readonly string[] = [];

/** A rule of a plan: for one event's name, or for a call. */
export interface PlanRule {
  readonly onViolation: OnViolation;
  readonly validate: ValidateFunction | undefined;
  readonly fields: PersonalFields;
  readonly hasPersonal: boolean;
  /** Names of properties whose values are compared with the profile's own history. */
  readonly outliers: readonly string[];
}

/** The parts of a plan, as the file has them. */
export interface PlanRules {
  readonly track: ReadonlyMap<string, PlanRule>;
  readonly calls: Readonly<Partial<Record<Exclude<PlannedType, 'track'>, PlanRule>>>;
  readonly unplanned: OnViolation | 'ignore';
  /** Plain names (see `toPlainName`) of fields that are personal in every event. */
  readonly personal: ReadonlySet<string>;
}

/** What a plan says of one event. */
export interface Judgement {
  readonly violations: readonly PlanViolation[];
  readonly isRejected: boolean;
}

type Properties = Readonly<Record<string, unknown>>;

/** An event by what a plan knows it by. */
export interface PlannedEvent {
  readonly type: PlannedType;
  /** The name of a track event; others are planned by their type. */
  readonly name: string;
}

/** Which events a source may send, and what of them is personal. */
export class TrackingPlan {
  readonly #rules: PlanRules;

  constructor(rules: PlanRules) {
    this.#rules = rules;
  }

  /** Judges properties or traits, as they were sent. Pure; never throws. */
  judge(event: PlannedEvent, properties: Properties): Judgement {
    const rule = this.#find(event);
    const violations = this.#listViolations(rule, event, properties);
    const onViolation = rule?.onViolation ?? this.#rules.unplanned;
    return { violations, isRejected: violations.length > 0 && onViolation === 'reject' };
  }

  /** Properties or traits without their personal fields, and how many were taken out; the same object where none was. */
  withhold(event: PlannedEvent, properties: Properties): { readonly properties: Properties; readonly count: number } {
    const { personal } = this.#rules;
    const rule = this.#find(event);
    const hasFields = rule?.hasPersonal === true;
    if (personal.size === 0 && !hasFields) return { properties, count: 0 };
    const { value, count } = withhold(properties, rule?.fields ?? NO_FIELDS, personal);
    return { properties: value as Properties, count };
  }

  /** Properties of an event whose values are compared with what the profile's events had before; 8 at most. */
  listOutliers(event: PlannedEvent): readonly string[] {
    return this.#find(event)?.outliers ?? NONE;
  }

  /** Whether a trait is personal: what the plan says of it, or undefined. Names lead from the outside to the inside. */
  isPersonalTrait(type: 'identify' | 'group', names: readonly string[]): boolean | undefined {
    let fields: PersonalFields = this.#rules.calls[type]?.fields ?? NO_FIELDS;
    let said: boolean | undefined;
    for (const name of names) {
      fields = fields.children.get(name) ?? NO_FIELDS;
      const isPersonal = fields.isPersonal ?? (this.#rules.personal.has(toPlainName(name)) || undefined);
      if (isPersonal === true) return true;
      said = isPersonal ?? said;
    }
    return said;
  }

  #find({ type, name }: PlannedEvent): PlanRule | undefined {
    return type === 'track' ? this.#rules.track.get(name) : this.#rules.calls[type];
  }

  #listViolations(
    rule: PlanRule | undefined,
    { type, name }: PlannedEvent,
    properties: Properties,
  ): readonly PlanViolation[] {
    if (rule === undefined) {
      if (type !== 'track' || this.#rules.unplanned === 'ignore') return [];
      return [{ reason: 'unplanned_event', path: '', message: `the plan has no event ${JSON.stringify(name)}` }];
    }
    if (rule.validate === undefined || rule.validate(properties)) return [];
    return (rule.validate.errors ?? []).slice(0, VIOLATIONS_MAX).map(toViolation);
  }
}

/** Values are not in it: they may be personal. */
function toViolation({ keyword, instancePath, params, message = 'is not valid' }: ErrorObject): PlanViolation {
  const field = toNamedField(keyword, params);
  const path = cut(field === undefined ? instancePath : `${instancePath}/${escapePointer(field)}`);
  return {
    reason: toReason(keyword),
    path,
    message: cut(`${path === '' ? 'the whole' : path} ${toText(keyword, message)}`),
  };
}

/** The field that a message about its object means. */
function toNamedField(keyword: string, params: Record<string, unknown>): string | undefined {
  const name = {
    required: params.missingProperty,
    additionalProperties: params.additionalProperty,
    unevaluatedProperties: params.unevaluatedProperty,
  }[keyword];
  return typeof name === 'string' ? name : undefined;
}

function toText(keyword: string, message: string): string {
  if (keyword === 'required') return 'is missing';
  if (keyword === 'additionalProperties' || keyword === 'unevaluatedProperties') return 'is not in the plan';
  return message;
}

function toReason(keyword: string): ViolationReason {
  switch (keyword) {
    case 'required':
    case 'dependentRequired':
      return 'missing';
    case 'additionalProperties':
    case 'unevaluatedProperties':
    case 'propertyNames':
    case 'false schema':
      return 'unplanned_property';
    case 'type':
      return 'wrong_type';
    case 'allOf':
    case 'anyOf':
    case 'oneOf':
    case 'not':
    case 'if':
      return 'no_match';
    default:
      return 'wrong_value';
  }
}

function escapePointer(name: string): string {
  return name.replaceAll('~', '~0').replaceAll('/', '~1');
}

function cut(text: string): string {
  return text.length <= PATH_CHARS_MAX ? text : `${text.slice(0, PATH_CHARS_MAX)}...`;
}
