import { findNearest, type YamlContext } from '@perennial/expressions';
import { FORMATS } from './formats.js';
import { hasPersonal, joinFields, NO_FIELDS, type PersonalFields } from './personal.js';
import { findPatternProblem } from './regular-expression.js';

type Path = ReadonlyArray<string | number>;
type Schema = Readonly<Record<string, unknown>>;
type Report = YamlContext['report'];

/** A schema of a file, and where its parts stand in it. */
export interface SchemaTree {
  readonly value: unknown;
  placeOf(path: Path): Parameters<Report>[0];
}

/** Schemas in one rule, those that it refers to counted each time: an event's check costs at most as much. */
const SCHEMAS_MAX = 1_000;
const DIALECT = 'https://json-schema.org/draft/2020-12/schema';
const REFERENCE = /^#\/\$defs\/([A-Za-z0-9_-]{1,64})$/;

/** Keywords whose value is a schema, a list of schemas, or schemas by name. */
const ONE = new Set([
  'not',
  'if',
  'then',
  'else',
  'items',
  'contains',
  'additionalProperties',
  'propertyNames',
  'unevaluatedProperties',
  'unevaluatedItems',
]);
const LISTS = new Set(['allOf', 'anyOf', 'oneOf', 'prefixItems']);
const MAPS = new Set(['properties', 'patternProperties', 'dependentSchemas']);
const PLAIN = new Set([
  ...['type', 'enum', 'const', 'multipleOf', 'maximum', 'exclusiveMaximum', 'minimum', 'exclusiveMinimum'],
  ...['maxLength', 'minLength', 'pattern', 'format', 'maxItems', 'minItems', 'maxContains', 'minContains'],
  ...['maxProperties', 'minProperties', 'required', 'dependentRequired', '$ref', 'personal'],
  ...['title', 'description', 'default', 'examples', 'deprecated', '$comment'],
]);
const KEYWORDS = [...ONE, ...LISTS, ...MAPS, ...PLAIN];
const TYPES: readonly string[] = ['array', 'boolean', 'integer', 'null', 'number', 'object', 'string'];
/** What they would cost or reach for, for those who know them from elsewhere. */
const UNSUPPORTED: Readonly<Record<string, string>> = {
  uniqueItems: 'each item would be compared with each other',
  $defs: 'they stand once, at the top of the plan',
  definitions: 'they stand once, at the top of the plan, as $defs',
  $id: 'a reference is local: #/$defs/name',
  $anchor: 'a reference is local: #/$defs/name',
  $dynamicRef: 'a reference is local: #/$defs/name',
  $dynamicAnchor: 'a reference is local: #/$defs/name',
};

const BELOW_A_CHOICE = 'personal is said of one field, below properties, items and allOf only, not below a choice';

/** What a schema says besides its own validation. */
export interface CheckedSchema {
  readonly fields: PersonalFields;
  /** Schemas in it, with those that it refers to. */
  readonly size: number;
}

/** Schemas of a plan that others refer to, checked when they are first needed. */
export interface Definitions {
  /** Undefined for one that is not there, or leads back to itself; that is reported where it is referred to. */
  find(name: string): CheckedSchema | 'absent' | 'circular';
  readonly names: readonly string[];
}

/** The `$defs` of a plan; all of them are checked, also those that nobody needs. */
export function checkDefinitions(tree: SchemaTree | undefined, report: Report): Definitions {
  const schemas = isObject(tree?.value) ? tree.value : {};
  const checked = new Map<string, CheckedSchema | 'circular'>();
  const definitions: Definitions = {
    names: Object.keys(schemas),
    find(name) {
      if (tree === undefined || !Object.hasOwn(schemas, name)) return 'absent';
      const known = checked.get(name);
      if (known !== undefined) return known;
      checked.set(name, 'circular');
      const result = checkSized(tree, { schema: schemas[name], path: [name] }, { definitions, report });
      checked.set(name, result);
      return result;
    },
  };
  if (tree !== undefined && !isObject(tree.value)) report(tree.placeOf([]), '$defs is a mapping of names to schemas');
  for (const name of definitions.names) {
    if (!REFERENCE.test(`#/$defs/${name}`)) {
      report(
        (tree as SchemaTree).placeOf([name]),
        `${JSON.stringify(name)} is no name: letters, digits, _ and -, 64 at most`,
      );
    }
    definitions.find(name);
  }
  return definitions;
}

/** Checks a schema keyword by keyword, all problems at once; what Ajv finds itself is left to it. */
export function checkSchema(tree: SchemaTree, definitions: Definitions, report: Report): CheckedSchema {
  return checkSized(tree, { schema: tree.value, path: [] }, { definitions, report });
}

function checkSized(
  tree: SchemaTree,
  { schema, path }: { readonly schema: unknown; readonly path: Path },
  { definitions, report }: { readonly definitions: Definitions; readonly report: Report },
): CheckedSchema {
  const checked = new SchemaWalk(tree, definitions, report).check(schema, path, true);
  if (checked.size <= SCHEMAS_MAX) return checked;
  const message = `there are ${checked.size} schemas in this one, with those that it refers to; ${SCHEMAS_MAX} at most`;
  report(tree.placeOf(path), message);
  // Reported once: what refers to it is not too large for that.
  return { fields: NO_FIELDS, size: 1 };
}

class SchemaWalk {
  readonly #tree: SchemaTree;
  readonly #definitions: Definitions;
  readonly #report: Report;

  constructor(tree: SchemaTree, definitions: Definitions, report: Report) {
    this.#tree = tree;
    this.#definitions = definitions;
    this.#report = report;
  }

  /** `isPlain`: the schema holds for the value whatever else it is, so that `personal` in it means one field. */
  check(schema: unknown, path: Path, isPlain: boolean): CheckedSchema {
    if (typeof schema === 'boolean') return { fields: NO_FIELDS, size: 1 };
    if (!isObject(schema)) {
      this.#say(path, 'a JSON Schema is needed here: a mapping, true or false');
      return { fields: NO_FIELDS, size: 1 };
    }
    for (const name of Object.keys(schema)) this.#checkKeyword(schema, name, path);
    this.#checkNames(schema, path);
    const inner = Object.keys(schema).flatMap((name) => this.#checkInner(schema, name, path, isPlain));
    return {
      fields: joinFields([this.#readPersonal(schema, path, isPlain), ...inner.map(({ fields }) => fields)]),
      size: inner.reduce((sum, { size }) => sum + size, 1),
    };
  }

  #checkKeyword(schema: Schema, name: string, path: Path): void {
    const value = schema[name];
    const at = [...path, name];
    if (Object.hasOwn(UNSUPPORTED, name)) this.#say(at, `${name} is not supported: ${UNSUPPORTED[name]}`);
    else if (name === '$schema' && path.length === 0) {
      if (value !== DIALECT) this.#say(at, `schemas are of ${DIALECT}`);
    } else if (!KEYWORDS.includes(name)) {
      this.#say(at, `unknown keyword "${name}"`, () => findNearest(name, KEYWORDS));
    }
    if (name === 'type') this.#checkType(value, at);
    if (name === 'pattern') this.#checkPattern(value, at);
    if (name === 'patternProperties' && isObject(value)) {
      for (const pattern of Object.keys(value)) this.#checkPattern(pattern, [...at, pattern]);
    }
    if (name === 'format' && !(typeof value === 'string' && Object.hasOwn(FORMATS, value))) {
      const formats = Object.keys(FORMATS);
      const suggest = () => (typeof value === 'string' ? findNearest(value, formats) : undefined);
      this.#say(at, `a format is one of ${formats.join(', ')}`, suggest);
    }
  }

  #checkType(value: unknown, at: Path): void {
    const wrong = (Array.isArray(value) ? value : [value]).find((type) => !TYPES.includes(type));
    const isList = Array.isArray(value) && value.length > 0 && new Set(value).size === value.length;
    if (wrong === undefined && (typeof value === 'string' || isList)) return;
    const suggest = () => (typeof wrong === 'string' ? findNearest(wrong, TYPES) : undefined);
    this.#say(at, `a type is one of ${TYPES.join(', ')}, or a list of some`, suggest);
  }

  #checkPattern(pattern: unknown, at: Path): void {
    const problem = typeof pattern === 'string' ? findPatternProblem(pattern) : undefined;
    if (problem !== undefined) this.#say(at, problem);
  }

  /** A required field that may not be there makes every event a violation. */
  #checkNames(schema: Schema, path: Path): void {
    const { properties = {}, patternProperties, additionalProperties, required } = schema;
    if (additionalProperties !== false || patternProperties !== undefined) return;
    if (!isObject(properties) || !Array.isArray(required)) return;
    required.forEach((name, index) => {
      if (typeof name !== 'string' || Object.hasOwn(properties, name)) return;
      const suggest = () => findNearest(name, Object.keys(properties));
      this.#say([...path, 'required', index], `"${name}" is required, and no property may have that name`, suggest);
    });
  }

  #checkInner(schema: Schema, name: string, path: Path, isPlain: boolean): CheckedSchema[] {
    const value = schema[name];
    const at = [...path, name];
    if (name === '$ref') return [this.#checkReference(value, at, isPlain)];
    if (ONE.has(name)) {
      const checked = this.check(value, at, isPlain && name === 'items');
      return [
        name === 'items'
          ? { ...checked, fields: { ...NO_FIELDS, items: checked.fields } }
          : { ...checked, fields: NO_FIELDS },
      ];
    }
    if (LISTS.has(name) && Array.isArray(value)) {
      const isAll = name === 'allOf';
      const all = value.map((one, index) => this.check(one, [...at, index], isPlain && isAll));
      return isAll ? all : all.map(({ size }) => ({ size, fields: NO_FIELDS }));
    }
    if (MAPS.has(name) && isObject(value)) {
      const isFields = name === 'properties';
      return Object.entries(value).map(([key, one]) => {
        const { size, fields } = this.check(one, [...at, key], isPlain && isFields);
        return { size, fields: isFields ? { ...NO_FIELDS, children: new Map([[key, fields]]) } : NO_FIELDS };
      });
    }
    return [];
  }

  #checkReference(value: unknown, at: Path, isPlain: boolean): CheckedSchema {
    const nothing = { fields: NO_FIELDS, size: 1 };
    const name = typeof value === 'string' ? REFERENCE.exec(value)?.[1] : undefined;
    if (name === undefined) {
      this.#say(at, 'a reference is local: #/$defs/name');
      return nothing;
    }
    const found = this.#definitions.find(name);
    if (found === 'absent') {
      this.#say(at, `there is no "${name}" in $defs`, () => findNearest(name, this.#definitions.names));
      return nothing;
    }
    if (found === 'circular') {
      this.#say(at, `"${name}" leads back to itself: a schema may not contain itself`);
      return nothing;
    }
    if (!isPlain && hasPersonal(found.fields)) this.#say(at, `"${name}" has personal fields: ${BELOW_A_CHOICE}`);
    return isPlain ? found : { size: found.size, fields: NO_FIELDS };
  }

  #readPersonal(schema: Schema, path: Path, isPlain: boolean): PersonalFields {
    if (schema.personal === undefined) return NO_FIELDS;
    const at = [...path, 'personal'];
    if (typeof schema.personal !== 'boolean') this.#say(at, 'personal is true or false');
    else if (!isPlain || path.length === 0) {
      this.#say(at, BELOW_A_CHOICE);
    }
    return { ...NO_FIELDS, isPersonal: schema.personal === true };
  }

  #say(path: Path, message: string, suggest?: () => string | undefined): void {
    this.#report(this.#tree.placeOf(path), message, suggest);
  }
}

export function isObject(value: unknown): value is Schema {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
