import { parseYaml, requireValid, tree } from '@perennial/expressions';
import { listClassNames } from './grid.js';

/**
 * The names of all segments, tags and classes of a `segments.yaml` that has been checked, in the order of the file: for who reads memberships and no rule. Throws
 * `config_invalid` for what is no YAML.
 */
export function readSegmentNames(yamlText: string): readonly string[] {
  const { segments, tags, grids } = readGroups(yamlText);
  return [...Object.keys(segments), ...Object.keys(tags), ...Object.keys(grids).flatMap(listClassNames)];
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

function readGroups(yamlText: string): { readonly segments: Group; readonly tags: Group; readonly grids: Group } {
  const { value } = requireValid(parseYaml(yamlText, tree(), { fileName: 'segments.yaml' }));
  const toGroup = (name: string): Group => {
    const group = isGroup(value) ? value[name] : undefined;
    return isGroup(group) ? group : {};
  };
  return { segments: toGroup('segments'), tags: toGroup('tags'), grids: toGroup('grids') };
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
