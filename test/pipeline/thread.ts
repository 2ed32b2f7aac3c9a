import type { Connector } from '../../connectors/connector.ts';
import { serveThread } from '../../pipeline/serve-thread.ts';
import { compileAges, numbers } from './numbers-connector.ts';

serveThread({ connectorOf: () => numbers as Connector, compileContract: compileAges });
