import {
  integer,
  list,
  located,
  named,
  object,
  oneOf,
  optional,
  type Parsed,
  parseYaml,
  requireValid,
  type ShapeValue,
  text,
  tree,
  type YamlContext,
} from '@perennial/expressions';
import { toMessage } from '@perennial/kernel';
import type { ValidateFunction } from 'ajv';
import { Ajv2020 } from 'ajv/dist/2020.js';
import { checkDefinitions, checkSchema, type Definitions, isObject, type SchemaTree } from './check-schema.js';
import { FORMATS } from './formats.js';
import { hasPersonal, NO_FIELDS, type PersonalFields, toPlainName } from './personal.js';
import { toRegularExpression } from './regular-expression.js';
import { ON_VIOLATION, type OnViolation, type PlanRule, TrackingPlan } from './tracking-plan.js';

/** Raised when an existing file would be read in another way. */
const FILE_VERSION = 1;
const EVENTS_MAX = 1_000;
const PERSONAL_NAMES_MAX = 200;
/** Properties of one event that are judged: a profile keeps values of each. */
const OUTLIERS_MAX = 8;

const anyTree = tree();

/** A schema, whose parts stand where their keys do. */
const schemaTree = {
  read(...args: Parameters<typeof anyTree.read>): SchemaTree | undefined {
    const read = anyTree.read(...args);
    return read === undefined ? undefined : { value: read.value, placeOf: (path) => read.placeOf(path, 'key') };
  },
};

const RULE = object({
  description: optional(text({ lengthMax: 1_000 }), undefined),
  onViolation: optional(oneOf(ON_VIOLATION), undefined),
  schema: optional(schemaTree, undefined),
  outliers: optional(
    named(oneOf(['flag']), {
      pattern: /^[^\p{Cc}\p{Cs}]{1,100}$/u,
      patternHint: 'the name of a property, 1 to 100 characters',
      itemsMax: OUTLIERS_MAX,
    }),
    new Map(),
  ),
});

const FILE = object({
  version: integer({ min: FILE_VERSION, max: FILE_VERSION }),
  onViolation: optional(oneOf(ON_VIOLATION), 'accept' as OnViolation),
  unplannedEvents: optional(oneOf([...ON_VIOLATION, 'ignore']), undefined),
  personal: optional(list(located(text({ lengthMax: 100 })), { itemsMax: PERSONAL_NAMES_MAX }), []),
  $defs: optional(schemaTree, undefined),
  track: optional(
    named(RULE, {
      pattern: /^(?=.*\S)[^\p{Cc}\p{Cs}]{1,200}$/u,
      patternHint: "an event's name, 1 to 200 characters",
      itemsMax: EVENTS_MAX,
    }),
    new Map(),
  ),
  page: optional(RULE, undefined),
  screen: optional(RULE, undefined),
  identify: optional(RULE, undefined),
  group: optional(RULE, undefined),
});

type Rule = ShapeValue<typeof RULE>;
type Report = YamlContext['report'];

/** Reads a tracking plan, as YAML or JSON; all problems at once, each with its line. */
export function parseTrackingPlan(content: string, options: { readonly fileName: string }): Parsed<TrackingPlan> {
  let plan: TrackingPlan | undefined;
  const parsed = parseYaml(content, FILE, {
    ...options,
    check(file, report) {
      plan = toPlan(file, report);
    },
  });
  if (!parsed.ok) return parsed;
  return { ok: true, value: plan as TrackingPlan };
}

/** The plan of a file; throws `config_invalid` with every problem, each with its line. */
export function requireTrackingPlan(content: string, options: { readonly fileName: string }): TrackingPlan {
  return requireValid(parseTrackingPlan(content, options));
}

function toPlan(file: ShapeValue<typeof FILE>, report: Report): TrackingPlan {
  let problems = 0;
  const counted: Report = (...problem) => {
    problems++;
    report(...problem);
  };
  const calls = (['page', 'screen', 'identify', 'group'] as const).flatMap((type) => {
    const rule = file[type];
    return rule === undefined ? [] : [[type, rule] as const];
  });
  const definitions = checkDefinitions(file.$defs, counted);
  const checker = createChecker(file.$defs, counted);
  const rules = [...calls.map(([, rule]) => rule), ...file.track.values()];
  const fields = new Map(rules.map((rule) => [rule, checkRule(rule, { definitions, checker, report: counted })]));
  const personal = new Set(file.personal.map(({ value, place }) => toListed(value, place, counted)));
  // Ajv makes code of schemas: it gets none of a file that has a problem.
  const compile = problems === 0 ? createCompiler(file.$defs, rules) : () => undefined;
  const toRule = (rule: Rule): PlanRule => {
    const own = fields.get(rule) ?? NO_FIELDS;
    const validate = tryCompile(rule, compile, counted);
    const onViolation = rule.onViolation ?? file.onViolation;
    const outliers = [...rule.outliers.keys()].sort();
    return { onViolation, validate, fields: own, hasPersonal: hasPersonal(own), outliers };
  };
  return new TrackingPlan({
    track: new Map([...file.track].map(([name, rule]) => [name, toRule(rule)])),
    calls: Object.fromEntries(calls.map(([type, rule]) => [type, toRule(rule)])),
    unplanned: file.unplannedEvents ?? file.onViolation,
    personal,
  });
}

function toListed(name: string, place: Parameters<Report>[0], report: Report): string {
  const plain = toPlainName(name);
  if (plain === '') report(place, `${JSON.stringify(name)} is no name of a field`);
  return plain;
}

type CheckDialect = (tree: SchemaTree) => void;

/** Compares a schema with the meta-schema of 2020-12: which value each keyword may have. */
function createChecker(defs: SchemaTree | undefined, report: Report): CheckDialect {
  const ajv = new Ajv2020({ allErrors: true, logger: false });
  const check: CheckDialect = (tree) => {
    void ajv.validateSchema(tree.value as object);
    for (const { instancePath, message = 'is not valid' } of ajv.errors ?? []) {
      const path = toPath(instancePath);
      // Our own check has reported it, in fewer words.
      if (path.at(-1) !== 'type') report(tree.placeOf(path), `${path.at(-1) ?? 'the schema'} ${message}`);
    }
  };
  if (isObject(defs?.value)) check({ value: { $defs: defs.value }, placeOf: (path) => defs.placeOf(path.slice(1)) });
  return check;
}

function checkRule(
  { schema }: Rule,
  { definitions, checker, report }: { definitions: Definitions; checker: CheckDialect; report: Report },
): PersonalFields {
  if (schema === undefined) return NO_FIELDS;
  if (typeof schema.value === 'boolean' || isObject(schema.value)) checker(schema);
  return checkSchema(schema, definitions, report).fields;
}

type Compile = (rule: Rule) => ValidateFunction | undefined;

/** All schemas are one document, so that what several refer to is compiled once. */
function createCompiler(defs: SchemaTree | undefined, rules: readonly Rule[]): Compile {
  const ajv = new Ajv2020({
    allErrors: true,
    strictTypes: false,
    strictTuples: false,
    strictRequired: false,
    // A schema that is written out wherever it is referred to could grow without bound.
    inlineRefs: false,
    validateSchema: false,
    // Else `constructor`, which every object inherits, would never be missing.
    ownProperties: true,
    logger: false,
    code: { regExp: toRegularExpression },
    formats: FORMATS,
    keywords: [{ keyword: 'personal', schemaType: 'boolean' }],
  });
  // A dot is in no name of the plan's own.
  const names = new Map(rules.map((rule, index) => [rule, `.${index}`]));
  const own = rules.flatMap((rule) =>
    rule.schema === undefined ? [] : [[names.get(rule), rule.schema.value] as const],
  );
  ajv.addSchema({ $defs: { ...(isObject(defs?.value) ? defs.value : {}), ...Object.fromEntries(own) } }, 'plan');
  return (rule) => (rule.schema === undefined ? undefined : ajv.getSchema(`plan#/$defs/${names.get(rule)}`));
}

function tryCompile(rule: Rule, compile: Compile, report: Report): ValidateFunction | undefined {
  try {
    return compile(rule);
  } catch (error) {
    report((rule.schema as SchemaTree).placeOf([]), `no JSON Schema: ${toMessage(error)}`);
    return undefined;
  }
}

function toPath(pointer: string): string[] {
  return pointer
    .split('/')
    .slice(1)
    .map((step) => step.replaceAll('~1', '/').replaceAll('~0', '~'));
}
