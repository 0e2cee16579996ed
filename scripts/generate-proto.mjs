// Writes packages/base/contracts/src/generated from proto/ (buf + ts-proto). Run it after changing a .proto and commit the result.
// With a folder as argument it writes there instead (that is how check-contracts.mjs compares).
import { execFileSync } from 'node:child_process';
import { rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';

const root = join(import.meta.dirname, '..');
const out = resolve(process.argv[2] ?? join(root, 'packages/base/contracts/src/generated'));
const template = {
  version: 'v2',
  plugins: [
    {
      local: join(root, 'node_modules/.bin/protoc-gen-ts_proto'),
      out,
      opt: [
        'esModuleInterop=true',
        'importSuffix=.js',
        'forceLong=number',
        'env=node',
        'oneof=unions-value',
        'outputJsonMethods=false',
        'outputPartialMethods=false',
        'useExactTypes=false',
        'outputServices=false',
      ],
    },
  ],
};
const templateFile = join(tmpdir(), `perennial-buf-gen-${process.pid}.json`);
rmSync(out, { recursive: true, force: true });
writeFileSync(templateFile, JSON.stringify(template));
try {
  execFileSync(join(root, 'node_modules/.bin/buf'), ['generate', '--template', templateFile], {
    cwd: join(root, 'proto'),
    stdio: 'inherit',
  });
} finally {
  rmSync(templateFile);
}
