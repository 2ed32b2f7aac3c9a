/** The kit, where ORACLE_URL names a server and the driver is installed. */
import { testConnector } from '../../../connectors/conformance/kit.ts';
import { targetOf } from '../../../connectors/oracle/driver.ts';
import { oracle } from '../../../connectors/oracle/index.ts';
import { prepareOra } from '../ora-server.ts';

testConnector(oracle, () => prepareOra({ variable: 'ORACLE_URL', targetOf, partitions: 3, timeOfDate: ' 00:00:00' }));
