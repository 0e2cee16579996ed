import { Interrupted, toExitCode, toReport } from './exit-codes.js';
import { createProgram } from './program.js';

// A reader such as `head` that has seen enough is no error of ours.
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
  if (report !== undefined) process.stderr.write(`perennial: ${report}\n`);
  process.exitCode = toExitCode(error);
  // The work that was given up may go on for as long as it likes.
  if (error instanceof Interrupted) process.exit();
}
