import { testConnector } from '../../../connectors/conformance/kit.ts';
import { mysql } from '../../../connectors/mysql/index.ts';
import { mariadbMissing } from '../../support/mariadb.ts';
import { prepare } from './fixture.ts';

testConnector(mysql, async () => (mariadbMissing === undefined ? prepare() : { lacks: mariadbMissing }));
