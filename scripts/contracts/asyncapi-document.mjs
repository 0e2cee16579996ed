// Checks proto/asyncapi.yaml: valid by the specification's own JSON Schema, every $ref resolves, and it agrees with the
// schemas beside it (one channel an edge; headers and key given for each message).
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, resolve } from 'node:path';
import { Ajv } from 'ajv';
import { parse } from 'yaml';

/** Problems of the document, as `[{path, problem}]`. `edgeNames` are those of the JSON Schemas, such as `stage.changed`. */
export function findAsyncApiProblems(file, edgeNames) {
  const document = parse(readFileSync(file, 'utf8'));
  return [...findInvalid(document), ...findDanglingRefs(document, file), ...findMissingChannels(document, edgeNames)];
}

function findInvalid(document) {
  // The form without $ids, or ajv takes the draft-07 copy within for a second one; formats are not checked, they need
  // another dependency.
  const schema = createRequire(import.meta.url)('@asyncapi/specs/schemas/3.0.0-without-$id.json');
  const ajv = new Ajv({ strict: false, allErrors: false, validateFormats: false, logger: false });
  if (ajv.validate(schema, document)) return [];
  return ajv.errors.map(({ instancePath, message }) => ({ path: instancePath || '/', problem: message }));
}

function findDanglingRefs(document, file) {
  return collectRefs(document, '').flatMap(({ path, ref }) => {
    const [target, pointer = ''] = ref.split('#');
    const targetFile = resolve(dirname(file), target);
    if (target !== '' && !existsSync(targetFile)) return [{ path, problem: `$ref ${ref}: no such file` }];
    const base = target === '' ? document : JSON.parse(readFileSync(targetFile, 'utf8'));
    return resolvePointer(base, pointer) === undefined ? [{ path, problem: `$ref ${ref} leads nowhere` }] : [];
  });
}

function collectRefs(node, path) {
  if (typeof node !== 'object' || node === null) return [];
  const own = typeof node.$ref === 'string' ? [{ path, ref: node.$ref }] : [];
  return [...own, ...Object.entries(node).flatMap(([key, value]) => collectRefs(value, `${path}/${key}`))];
}

function resolvePointer(base, pointer) {
  const keys = pointer
    .split('/')
    .slice(1)
    .map((key) => key.replaceAll('~1', '/').replaceAll('~0', '~'));
  return keys.reduce((node, key) => node?.[key], base);
}

function findMissingChannels(document, edgeNames) {
  const messages = Object.values(document.components?.messages ?? {});
  const problems = edgeNames.flatMap((edge) => {
    const topic = `lifecycle.${edge}.v1`;
    const known = Object.values(document.channels ?? {}).some((channel) => channel.address === topic);
    const described = messages.some((message) => message.payload?.$ref === `./edges/${edge}.schema.json`);
    return [
      ...(known ? [] : [{ path: '/channels', problem: `no channel has the address ${topic}` }]),
      ...(described
        ? []
        : [{ path: '/components/messages', problem: `no message has the payload ./edges/${edge}.schema.json` }]),
    ];
  });
  for (const message of messages) {
    const path = `/components/messages/${message.name}`;
    if (message.headers === undefined) problems.push({ path, problem: 'headers are not described' });
    if (message.bindings?.kafka?.key === undefined) problems.push({ path, problem: 'the Kafka key is not described' });
  }
  return problems;
}
