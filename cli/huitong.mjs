#!/usr/bin/env node
/** The `huitong` command: TypeScript is loaded through tsx, so that a checkout needs no build. */
import { register } from 'tsx/esm/api';

register();
// A reader that has enough (`| head`) closes the pipe: that is the end of the command, not a failure.
process.stdout.on('error', (error) => {
  if (error.code !== 'EPIPE') throw error;
  process.exit(0);
});
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
