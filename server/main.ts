/** Entry of the companion, bundled to `build/server/main.js`; the app stands beside it in `build/app`. */
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { runCommand } from './command.ts';

const outcome = await runCommand(process.argv.slice(2), {
  environment: process.env,
  platform: process.platform,
  appDir: join(dirname(fileURLToPath(import.meta.url)), '..', 'app'),
  print: (line) => process.stdout.write(`${line}\n`),
  warn: (line) => process.stderr.write(`${line}\n`),
});

if (outcome.kind === 'ended') process.exitCode = outcome.exitCode;
else {
  // Once: a second Ctrl+C ends the process whatever still hangs.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const)
    process.once(signal, () => void outcome.stop());
}
