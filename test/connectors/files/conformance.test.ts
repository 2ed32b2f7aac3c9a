import { testConnector } from '../../../connectors/conformance/kit.ts';
import { files } from '../../../connectors/files/index.ts';
import { prepare } from './fixture.ts';

testConnector(files, prepare);
