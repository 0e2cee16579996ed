import { spawnSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from '@jest/globals';

const root = join(import.meta.dirname, '..');
const folder = mkdtempSync(join(tmpdir(), 'perennial-contracts-'));
const proto = join(folder, 'proto');

beforeEach(() => {
  rmSync(proto, { recursive: true, force: true });
  cpSync(join(root, 'proto'), proto, { recursive: true });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

function check(...args) {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [join(root, 'scripts/check-contracts.mjs'), '--proto', proto, ...args],
    {
      encoding: 'utf8',
    },
  );
  return { status, output: stdout + stderr };
}

/** Replaces `from` in a file of the copy; throws when it isn't there, so that no test passes by changing nothing. */
function edit(file, from, to) {
  const text = readFileSync(join(proto, file), 'utf8');
  if (!text.includes(from)) throw new Error(`${file} does not contain ${from}`);
  writeFileSync(join(proto, file), text.replace(from, to));
}

function editEdge(name, change) {
  const file = join(proto, 'edges', `${name}.schema.json`);
  const schema = JSON.parse(readFileSync(file, 'utf8'));
  change(schema);
  writeFileSync(file, JSON.stringify(schema));
}

/** Spawns node and buf a few times each, on machines that may be busy. */
const TIMEOUT_MS = 60_000;

function editApi(service, change) {
  const file = join(proto, 'openapi', `${service}.json`);
  const document = JSON.parse(readFileSync(file, 'utf8'));
  change(document);
  writeFileSync(file, JSON.stringify(document));
}

describe('check-contracts', () => {
  it(
    'passes as it is, and with an added field',
    () => {
      edit('perennial/v1/control.proto', 'int64 time_ms = 1;', 'int64 time_ms = 1;\n  string added = 2;');
      editEdge('stage.changed', (schema) => {
        schema.properties.added = { type: 'string' };
      });
      expect(check()).toMatchObject({ status: 0 });
    },
    TIMEOUT_MS,
  );

  it(
    'names every incompatible field of the edges',
    () => {
      editEdge('stage.changed', (schema) => {
        delete schema.properties.evidence;
        schema.required = schema.required.filter((name) => name !== 'evidence');
      });
      editEdge('action.decided', (schema) => {
        schema.properties.cost.type = 'string';
      });
      editEdge('action.outcome', (schema) => {
        schema.required.push('channel');
      });
      const { status, output } = check();
      expect(status).toBe(1);
      expect(output).toContain('edges/stage.changed.schema.json evidence: field was removed');
      expect(output).toContain('edges/action.decided.schema.json cost: type changed from number to string');
      expect(output).toContain('edges/action.outcome.schema.json channel: field is newly required');
    },
    TIMEOUT_MS,
  );

  it.each([
    ['renumbered', 'string message_id = 1;', 'string message_id = 99;', '"1" with name "message_id"'],
    [
      'removed, though reserved',
      'string message_id = 1;',
      'reserved 1;\n  reserved "message_id";',
      '"1" with name "message_id"',
    ],
    ['of another type', 'string message_id = 1;', 'int64 message_id = 1;', '"message_id"'],
  ])(
    'rejects a proto field %s',
    (_how, from, to, named) => {
      edit('perennial/v1/event.proto', from, to);
      const { status, output } = check();
      expect(status).toBe(1);
      expect(output).toContain('perennial/v1/event.proto');
      expect(output).toContain(named);
    },
    TIMEOUT_MS,
  );

  it(
    'rejects an AsyncAPI document that is invalid or points nowhere',
    () => {
      edit('asyncapi.yaml', './edges/stage.changed.schema.json', './edges/gone.schema.json');
      edit('asyncapi.yaml', 'action: receive', 'action: swallow');
      const { status, output } = check();
      expect(status).toBe(1);
      expect(output).toContain('./edges/gone.schema.json: no such file');
      expect(output).toContain('/operations/receiveEvent');
    },
    TIMEOUT_MS,
  );

  it(
    'never passes for want of a released form, and freezes only what is compatible',
    () => {
      rmSync(join(proto, 'released/perennial.binpb'));
      expect(check()).toMatchObject({ status: 1, output: expect.stringContaining('perennial.binpb is missing') });
      expect(check('--release')).toMatchObject({ status: 0 });
      edit('perennial/v1/event.proto', 'string message_id = 1;', 'string message_id = 99;');
      expect(check('--release')).toMatchObject({ status: 1 });
    },
    TIMEOUT_MS,
  );

  it(
    'names what an OpenAPI document no longer takes or promises, and what is none',
    () => {
      editApi('action', ({ paths }) => {
        delete paths['/v1/summary'];
      });
      editApi('scoring', ({ paths }) => {
        paths['/v1/stages'].get.responses = 'none';
      });
      rmSync(join(proto, 'openapi/ingest.json'));
      const { status, output } = check();
      expect(status).toBe(1);
      expect(output).toContain('openapi/action.json GET /v1/summary: operation was removed');
      expect(output).toContain('openapi/scoring.json is not valid OpenAPI');
      expect(output).toContain('openapi/ingest.json was removed');
    },
    TIMEOUT_MS,
  );
});
