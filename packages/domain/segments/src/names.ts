import { parseYaml, requireValid, tree } from '@perennial/expressions';
import { toClusterName } from './cluster.js';
import { COHORTS_DEFAULT, COHORTS_MAX, listCohortNames, toCohortBounds } from './cohort.js';
import { listClassNames } from './grid.js';

/**
 * The names of all segments, tags, classes, clusters and cohorts of a `segments.yaml` that has been checked, in the order of the file: for who reads
 * memberships and no rule. Throws `config_invalid` for what is no YAML.
 */
export function readSegmentNames(yamlText: string): readonly string[] {
  const { segments, tags, grids, clusters, cohorts } = readGroups(yamlText);
  return [
    ...Object.keys(segments),
    ...Object.keys(tags),
    ...Object.keys(grids).flatMap(listClassNames),
    ...Object.entries(clusters).flatMap(([set, value]) => readClusterNames(set, value)),
    ...Object.entries(cohorts).flatMap(([set, value]) => readCohortNames(set, value)),
  ];
}

function readClusterNames(set: string, value: unknown): string[] {
  const centres = isGroup(value) && Array.isArray(value.centres) ? (value.centres as readonly unknown[]) : [];
  return centres.flatMap((centre) =>
    isGroup(centre) && typeof centre.name === 'string' ? [toClusterName(set, centre.name)] : [],
  );
}

function readCohortNames(set: string, value: unknown): string[] {
  if (!isGroup(value)) return [];
  const { by = 'month', from, count = COHORTS_DEFAULT } = value;
  if ((by !== 'month' && by !== 'week') || typeof from !== 'string') return [];
  if (typeof count !== 'number' || !(count >= 1 && count <= COHORTS_MAX)) return [];
  const bounds = toCohortBounds({ by, from, count });
  return bounds === undefined ? [] : listCohortNames(set, by, bounds);
}

/** Likewise the tags of kinds manual and imported, with their kind. */
export function readGivenTags(yamlText: string): ReadonlyMap<string, 'manual' | 'imported'> {
  const tags = Object.entries(readGroups(yamlText).tags);
  return new Map(
    tags.flatMap(([name, tag]): Array<[string, 'manual' | 'imported']> => {
      const kind = isGroup(tag) ? tag.kind : undefined;
      return kind === 'manual' || kind === 'imported' ? [[name, kind]] : [];
    }),
  );
}

type Group = Readonly<Record<string, unknown>>;

function readGroups(yamlText: string): Readonly<Record<'segments' | 'tags' | 'grids' | 'clusters' | 'cohorts', Group>> {
  const { value } = requireValid(parseYaml(yamlText, tree(), { fileName: 'segments.yaml' }));
  const toGroup = (name: string): Group => {
    const group = isGroup(value) ? value[name] : undefined;
    return isGroup(group) ? group : {};
  };
  return {
    segments: toGroup('segments'),
    tags: toGroup('tags'),
    grids: toGroup('grids'),
    clusters: toGroup('clusters'),
    cohorts: toGroup('cohorts'),
  };
}

function isGroup(value: unknown): value is Group {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Of a file that may be damaged: names that conditions may read, each once. */
export function findSegmentNames(yamlText: string): readonly string[] {
  try {
    return [...new Set(readSegmentNames(yamlText))];
  } catch {
    // What is wrong with it is said where it is parsed.
    return [];
  }
}
