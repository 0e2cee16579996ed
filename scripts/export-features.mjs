// Training rows from a history file, computed by the engine that serves them: `node scripts/export-features.mjs
// --help`.
// Needs a build (`pnpm build`).
import { escapeLines, toPrintableJson } from '../packages/base/kernel/dist/index.js';
import { EXPORT_USAGE, exportTrainingRows } from '../tools/history/dist/export-training-rows.js';

const args = process.argv.slice(2);
if (args.includes('--help') || args.length === 0) {
  console.log(
    `node scripts/export-features.mjs --history FILE --cutoff TIME [--cutoff TIME ...] --out FILE\n\n${EXPORT_USAGE}`,
  );
} else {
  try {
    console.log(toPrintableJson(await exportTrainingRows(args), 2));
  } catch (error) {
    // Values of the file, which others wrote, reach a terminal.
    console.error(escapeLines(error.message));
    process.exitCode = 1;
  }
}
