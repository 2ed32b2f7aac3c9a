import { testConnector } from '../../../connectors/conformance/kit.ts';
import { postgres } from '../../../connectors/postgres/index.ts';
import { prepare } from './fixture.ts';

testConnector(postgres, prepare);
