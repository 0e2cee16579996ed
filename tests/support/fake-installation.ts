import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, extname, join } from 'node:path';

import { ARTIFACT_KIND_NAMES, ARTIFACT_KINDS, SERVICE_NAMES } from '@perennial/contracts';

/** A repository with services that only report ready, to test the launcher without the real ones. */
export interface FakeInstallation {
  readonly root: string;
  readonly home: string;
  /** One-shot commands that were run, as `<service> <args>`, in order. */
  readCommands(): string[];
  /** Writes a config file, so that there is another artifact to put in force. */
  writePolicy(text: string): void;
}

const SERVICE_SCRIPT = `
const { appendFileSync } = require('node:fs');
const { createServer } = require('node:http');
const { createHash } = require('node:crypto');
const { readFileSync, statSync } = require('node:fs');
const args = process.argv.slice(2);
function run(call) {
  appendFileSync(COMMANDS, SERVICE + ' ' + call.join(' ') + '\\n');
  if (call[0] !== 'register') return;
  const content = statSync(call[2]).isDirectory() ? 'folder' : readFileSync(call[2]);
  console.log('{"level":"info","message":"a log line before the answer"}');
  console.log(JSON.stringify({ kind: call[1], number: 1, hash: createHash('sha256').update(content).digest('hex') }));
}
if (args.length > 0) {
  for (const call of args[0] === 'each' ? JSON.parse(args[1]) : [args]) run(call);
} else {
  const server = createServer((request, response) => response.writeHead(request.url === '/health/ready' ? 200 : 404).end());
  server.listen(Number(process.env.PORT), process.env.HOST);
  process.on('SIGTERM', () => process.exit(0));
}
`;

export function createFakeInstallation(): FakeInstallation {
  const root = mkdtempSync(join(tmpdir(), 'perennial-fake-'));
  const commands = join(root, 'commands');
  const write = (path: string, text: string) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  };
  write('commands', '');
  for (const service of SERVICE_NAMES) {
    const constants = `const SERVICE = ${JSON.stringify(service)}; const COMMANDS = ${JSON.stringify(commands)};`;
    write(`services/${service}/dist/main.js`, constants + SERVICE_SCRIPT);
  }
  for (const kind of ARTIFACT_KIND_NAMES) {
    const path = ARTIFACT_KINDS[kind].defaultPath;
    // A path without an extension is a folder: a model.
    write(extname(path) === '' ? `${path}/manifest.json` : path, '{}\n');
  }
  return {
    root,
    home: join(root, '.perennial'),
    readCommands: () => readFileSync(commands, 'utf8').trim().split('\n'),
    writePolicy: (text) => write(ARTIFACT_KINDS.policy.defaultPath, text),
  };
}
