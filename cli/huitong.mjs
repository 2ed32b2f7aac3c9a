#!/usr/bin/env node
/** The `huitong` command: TypeScript is loaded through tsx, so that a checkout needs no build. */
import { register } from 'tsx/esm/api';

register();
const { main } = await import('./main.ts');
process.exitCode = await main(process.argv);
