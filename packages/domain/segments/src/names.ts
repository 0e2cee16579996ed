import { parseYaml, requireValid, tree } from '@perennial/expressions';
import { listClassNames } from './grid.js';

/**
 * The names of all segments, tags and classes of a `segments.yaml` that has been checked, in the order of the file: for who reads memberships and no rule. Throws
 * `config_invalid` for what is no YAML.
 */
export function readSegmentNames(yamlText: string): readonly string[] {
  const { value } = requireValid(parseYaml(yamlText, tree(), { fileName: 'segments.yaml' }));
  const { segments, tags, grids } = (value ?? {}) as Readonly<Record<string, Readonly<Record<string, unknown>>>>;
  return [...listKeys(segments), ...listKeys(tags), ...listKeys(grids).flatMap(listClassNames)];
}

function listKeys(group: Readonly<Record<string, unknown>> = {}): string[] {
  return Object.keys(group);
}
