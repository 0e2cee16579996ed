import { parseYaml, requireValid, tree } from '@perennial/expressions';

/**
 * The names of a `segments.yaml` that has been checked, in the order of the file: for who reads memberships and no rule. Throws
 * `config_invalid` for what is no YAML.
 */
export function readSegmentNames(yamlText: string): readonly string[] {
  const { value } = requireValid(parseYaml(yamlText, tree(), { fileName: 'segments.yaml' }));
  const { segments } = (value ?? {}) as { readonly segments?: Readonly<Record<string, unknown>> };
  return Object.keys(segments ?? {});
}
