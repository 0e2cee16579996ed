import { Interrupted, toExitCode, toReport } from './exit-codes.js';
import { printNotice } from './output.js';
import { createProgram } from './program.js';

// A reader such as `head` that closes the pipe is not an error.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE') throw error;
  });
}

try {
  const program = await createProgram(process.argv.slice(2));
  await program.parseAsync();
} catch (error) {
  const report = toReport(error);
  if (report !== undefined) printNotice(`perennial: ${report}`);
  process.exitCode = toExitCode(error);
  // Abandoned work may still keep the process alive.
  if (error instanceof Interrupted) process.exit();
}
