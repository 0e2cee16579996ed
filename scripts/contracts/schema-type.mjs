// A JSON Schema as the text of a TypeScript type, for the schemas that our routes use. Pure.

const PRIMITIVES = { string: 'string', integer: 'number', number: 'number', boolean: 'boolean', null: 'null' };
const IDENTIFIER = /^[A-Za-z_$][\w$]*$/;

/** The type's text; lines after the first are indented by `indent` and more. Throws for a schema it does not know. */
export function toTypeText(schema, indent = 0) {
  if (schema.const !== undefined) return JSON.stringify(schema.const).replaceAll('"', "'");
  if (schema.anyOf !== undefined) return schema.anyOf.map((branch) => toTypeText(branch, indent)).join(' | ');
  if (Array.isArray(schema.type)) return schema.type.map((type) => toTypeText({ type }, indent)).join(' | ');
  if (Object.hasOwn(PRIMITIVES, schema.type)) return PRIMITIVES[schema.type];
  if (schema.type === 'array') return `ReadonlyArray<${toTypeText(schema.items, indent)}>`;
  if (schema.type === 'object') return toObjectText(schema, indent);
  if (Object.keys(schema).every((key) => key === 'description')) return 'unknown';
  throw new Error(`no TypeScript type is known for ${JSON.stringify(schema)}`);
}

function toObjectText({ properties = {}, required = [], additionalProperties }, indent) {
  const names = Object.keys(properties);
  if (names.length === 0 && typeof additionalProperties === 'object') {
    return `Readonly<Record<string, ${toTypeText(additionalProperties, indent)}>>`;
  }
  if (names.length === 0) return 'Readonly<Record<string, never>>';
  const space = ' '.repeat(indent + 2);
  const lines = names.flatMap((name) => {
    const { description } = properties[name];
    const key = IDENTIFIER.test(name) ? name : `'${name}'`;
    const isRequired = required.includes(name);
    return [
      ...(description === undefined ? [] : [`${space}/** ${description} */`]),
      `${space}readonly ${key}${isRequired ? '' : '?'}: ${toTypeText(properties[name], indent + 2)}${isRequired ? '' : ' | undefined'};`,
    ];
  });
  return ['{', ...lines, `${' '.repeat(indent)}}`].join('\n');
}
