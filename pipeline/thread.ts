/** The entry of a reading thread. */
import { connectorOf } from '../connectors/registry.ts';
import { compileContract } from '../contracts/compile.ts';
import { serveThread } from './serve-thread.ts';

serveThread({ connectorOf, compileContract });
