import type { Connector } from '../../../connectors/connector.ts';
import { compileContract } from '../../../contracts/compile.ts';
import { serveThread } from '../../../pipeline/serve-thread.ts';
import { scripted } from './scripted-connector.ts';

serveThread({ connectorOf: () => scripted as Connector, compileContract });
