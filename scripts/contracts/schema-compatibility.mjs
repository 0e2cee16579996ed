// Checks whether a JSON Schema still accepts and promises what its released form did. Pure: two schemas in, problems
// out.
//
// Compatible means: fields are only added; a type stays as it is; nothing is newly required; enums only get wider; limits
// only get looser. Where Perennial itself is the writer nothing required may become optional either, since consumers
// rely on finding it.

/** Keywords that hold annotations only: changing them changes nothing for a reader. */
const ANNOTATIONS = new Set([
  '$schema',
  '$id',
  '$comment',
  'title',
  'description',
  'examples',
  'default',
  'deprecated',
  'x-writer',
]);
/** Keywords handled one by one below. */
const HANDLED = new Set([
  'properties',
  'required',
  'type',
  'enum',
  'items',
  'additionalProperties',
  'allOf',
  'anyOf',
  'oneOf',
  '$defs',
]);
const UPPER_LIMITS = new Set(['maximum', 'exclusiveMaximum', 'maxLength', 'maxItems', 'maxProperties']);
const LOWER_LIMITS = new Set(['minimum', 'exclusiveMinimum', 'minLength', 'minItems', 'minProperties']);

/**
 * Problems of `current` against `released`: `[{path, problem}]`, empty when compatible. Paths read like `cause.kind` or `reasons[]`.
 * `promisesMore`: what is written is read at once, as an answer is, so that a new field may be promised; records in a topic may lack it.
 */
export function findIncompatibilities(released, current, { promisesMore = false } = {}) {
  const problems = [];
  const context = { outside: released['x-writer'] === 'outside', promisesMore, problems };
  if (released['x-writer'] !== current['x-writer']) {
    problems.push({
      path: '(root)',
      problem: `x-writer changed from ${show(released['x-writer'])} to ${show(current['x-writer'])}`,
    });
  }
  compare(released, current, '', context);
  return problems;
}

function compare(released, current, path, context) {
  if (typeof released === 'boolean' || typeof current === 'boolean') {
    if (released !== current) report(context, path, `changed from ${show(released)} to ${show(current)}`);
    return;
  }
  compareTypes(released, current, path, context);
  compareEnums(released, current, path, context);
  compareProperties(released, current, path, context);
  compareRequired(released, current, path, context);
  compareSubschema(released.items, current.items, `${path}[]`, context);
  compareAdditional(released.additionalProperties, current.additionalProperties, path, context);
  for (const keyword of ['allOf', 'anyOf', 'oneOf']) compareBranches(keyword, released, current, path, context);
  compareOther(released, current, path, context);
}

function compareTypes(released, current, path, context) {
  const before = toTypeList(released.type);
  const now = toTypeList(current.type);
  if (before !== now) report(context, path, `type changed from ${before} to ${now}`);
}

function toTypeList(type) {
  return type === undefined ? 'any' : [type].flat().sort().join('|');
}

function compareEnums(released, current, path, context) {
  if (released.enum === undefined && current.enum === undefined) return;
  if (released.enum === undefined) return report(context, path, 'an enum now limits what had no limit');
  if (current.enum === undefined) return;
  const now = new Set(current.enum.map(show));
  for (const value of released.enum)
    if (!now.has(show(value))) report(context, path, `enum value ${show(value)} was removed`);
}

function compareProperties(released, current, path, context) {
  for (const [name, schema] of Object.entries(released.properties ?? {})) {
    const inner = path === '' ? name : `${path}.${name}`;
    const now = current.properties?.[name];
    if (now === undefined) report(context, inner, 'field was removed');
    else compare(schema, now, inner, context);
  }
}

function compareRequired(released, current, path, context) {
  const before = new Set(released.required ?? []);
  const now = new Set(current.required ?? []);
  const inner = (name) => (path === '' ? name : `${path}.${name}`);
  if (context.outside || !context.promisesMore) {
    for (const name of now) if (!before.has(name)) report(context, inner(name), 'field is newly required');
  }
  if (context.outside) return;
  for (const name of before)
    if (!now.has(name)) report(context, inner(name), 'field is no longer required: consumers rely on it');
}

function compareSubschema(released, current, path, context) {
  if (released === undefined && current === undefined) return;
  if (current === undefined) return report(context, path, 'what it holds is no longer described');
  if (released === undefined) return report(context, path, 'a schema now limits what had no limit');
  compare(released, current, path, context);
}

function compareAdditional(released, current, path, context) {
  if (released === false) {
    if (current !== false) report(context, path, 'additionalProperties was false: readers may be strict about it');
    return;
  }
  compareSubschema(
    released === true ? undefined : released,
    current === true ? undefined : current,
    path === '' ? '*' : `${path}.*`,
    context,
  );
}

function compareBranches(keyword, released, current, path, context) {
  const before = released[keyword] ?? [];
  const now = current[keyword] ?? [];
  const at = (index) => `${path === '' ? '(root)' : path}.${keyword}[${index}]`;
  for (let index = 0; index < Math.max(before.length, now.length); index += 1) {
    if (index >= now.length) {
      // Dropping a condition that all must hold accepts more, which violates only our own promise.
      if (keyword !== 'allOf' || !context.outside) report(context, at(index), 'branch was removed');
    } else if (index >= before.length) {
      if (keyword === 'allOf' || before.length === 0)
        report(context, at(index), 'branch was added and limits what is allowed');
    } else compare(before[index], now[index], at(index), context);
  }
}

/** Limits may get looser; any other keyword (const, pattern, format, if/then ...) has to stay as it is. */
function compareOther(released, current, path, context) {
  for (const keyword of new Set([...Object.keys(released), ...Object.keys(current)])) {
    if (ANNOTATIONS.has(keyword) || HANDLED.has(keyword)) continue;
    const before = released[keyword];
    const now = current[keyword];
    if (show(before) === show(now) || isLooserLimit(keyword, before, now)) continue;
    report(context, path, `${keyword} changed from ${show(before)} to ${show(now)}`);
  }
}

function isLooserLimit(keyword, before, now) {
  if (!UPPER_LIMITS.has(keyword) && !LOWER_LIMITS.has(keyword)) return false;
  if (now === undefined) return true;
  if (before === undefined) return false;
  return UPPER_LIMITS.has(keyword) ? now >= before : now <= before;
}

function report(context, path, problem) {
  context.problems.push({ path: path === '' ? '(root)' : path, problem });
}

function show(value) {
  return value === undefined ? 'nothing' : JSON.stringify(value);
}
