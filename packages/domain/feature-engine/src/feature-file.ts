import { formatProblems, type Parsed, parseYaml, type Tree, tree } from '@perennial/expressions';
import { AppError, listFirst } from '@perennial/kernel';
import { FEATURES_MAX, type FeatureSpec } from './definition.js';
import { type Aliases, type ExpandedFeature, expandFeature } from './expand-features.js';
import { FieldReader } from './field-reader.js';
import { readFilter } from './measure-reader.js';
import { listUnknownFeatures } from './read-attributes.js';
import { parseFeatureSpec, readDefinitions, readRules } from './spec-file.js';
import { formatSpecProblem, type SpecPath, type SpecProblem } from './spec-problem.js';
import { listUnreachable } from './unreachable.js';

/** Problems listed of one JSON file: more are not read at once. */
const PROBLEMS_LISTED_MAX = 20;

/**
 * Reads a feature file as its author wrote it: YAML, or the JSON of an artifact. Throws `config_invalid` with every problem,
 * one a line: `features.yaml:12:3: is an unknown key, did you mean "window"?`, of JSON with the path in place of the line.
 */
export function requireFeatureFile(content: Uint8Array, fileName: string): FeatureSpec {
  const text = Buffer.from(content).toString('utf8');
  if (/^\s*\{/.test(text)) return requireJson(content, fileName);
  const parsed = parseFeatureYaml(text, fileName);
  if (parsed.ok) return parsed.value;
  throw new AppError('config_invalid', formatProblems(parsed.problems));
}

function requireJson(content: Uint8Array, fileName: string): FeatureSpec {
  const parsed = parseFeatureSpec(content);
  const problems = parsed.ok ? listUnreachable(parsed.definitions).map(formatSpecProblem) : parsed.problems;
  if (parsed.ok && problems.length === 0) return parsed;
  const lines = listFirst(problems, PROBLEMS_LISTED_MAX).map((problem) => `${fileName}: ${problem}`);
  throw new AppError('config_invalid', lines.join('\n'));
}

/** Reads the YAML of a feature file. The result is what the artifact's JSON would give. */
function parseFeatureYaml(text: string, fileName: string): Parsed<FeatureSpec> {
  let spec: FeatureSpec = { definitions: [], rules: {} };
  const parsed = parseYaml(text, tree(), {
    fileName,
    check(file, report) {
      const problems: SpecProblem[] = [];
      const read = readFile(file.value, problems);
      spec = read.spec;
      for (const { place, message, suggestion } of toPlaced(file, problems, read.toFilePath)) {
        report(place, message, () => suggestion);
      }
    },
  });
  return parsed.ok ? { ok: true, value: spec } : parsed;
}

interface ReadFile {
  readonly spec: FeatureSpec;
  readonly toFilePath: (path: SpecPath) => SpecPath;
}

function readFile(value: unknown, problems: SpecProblem[]): ReadFile {
  const reader = new FieldReader(value, [], problems);
  const rules = readRules(reader);
  const aliases: Aliases = { events: new Map(reader.entries('events')), measures: new Map(reader.entries('measures')) };
  const entries = reader.entries('features');
  reader.finish();
  if (reader.isObject && entries.length === 0) {
    problems.push({ path: ['features'], message: 'must be a mapping of 1 or more features' });
  }
  const filters = new FieldReader(Object.fromEntries(aliases.events), ['events'], problems);
  for (const name of aliases.events.keys()) readFilter(filters, name);
  const expanded = entries.slice(0, FEATURES_MAX).flatMap((entry) => expandFeature(entry, aliases, problems));
  if (entries.length > FEATURES_MAX || expanded.length > FEATURES_MAX) {
    problems.push({ path: ['features'], part: 'key', message: `must be ${FEATURES_MAX} features at most` });
  }
  return { spec: readExpanded(expanded.slice(0, FEATURES_MAX), { rules, problems }), toFilePath: toMapping(expanded) };
}

function readExpanded(
  expanded: readonly ExpandedFeature[],
  { rules, problems }: { readonly rules: FeatureSpec['rules']; readonly problems: SpecProblem[] },
): FeatureSpec {
  const definitions = readDefinitions(
    expanded.map(({ json }) => json),
    { problems, toLabel: (index) => JSON.stringify(expanded[index]?.key) },
  );
  if (problems.length === 0) {
    problems.push(...listUnreachable(definitions), ...listUnknownFeatures(rules.attributes ?? [], definitions));
  }
  return { definitions, rules };
}

/** Paths of the definitions are those of the expanded features, all others those of the file. */
function toMapping(expanded: readonly ExpandedFeature[]): (path: SpecPath) => SpecPath {
  return (path) => {
    const [group, index, ...part] = path;
    if (group !== 'features' || typeof index !== 'number') return path;
    return expanded[index]?.toFilePath(part) ?? path;
  };
}

interface PlacedProblem {
  readonly place: { readonly offset: number };
  readonly message: string;
  readonly suggestion: string | undefined;
}

/** Each problem once, though several features may come from the part of the file that has it. */
function toPlaced(
  file: Tree,
  problems: readonly SpecProblem[],
  toFilePath: (path: SpecPath) => SpecPath,
): Iterable<PlacedProblem> {
  const placed = new Map<string, PlacedProblem>();
  for (const { path, part, start, message, suggestion } of problems) {
    const at = toFilePath(path);
    // A feature's name is its key.
    const isOfName = at[0] === 'features' && at.length === 2;
    const place = start === undefined ? file.placeOf(at, isOfName ? 'key' : part) : file.placeWithin(at, start);
    // The place says which item of a list it is.
    const key = at.findLast((segment) => typeof segment === 'string');
    const text = `${key ?? 'the spec'}: ${message}`;
    placed.set(`${place.offset} ${text}`, { place, message: text, suggestion });
  }
  return placed.values();
}
