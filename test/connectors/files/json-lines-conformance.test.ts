import { testConnector } from '../../../connectors/conformance/kit.ts';
import { files } from '../../../connectors/files/index.ts';
import { prepareJsonLines } from './json-lines-fixture.ts';

testConnector(files, prepareJsonLines);
