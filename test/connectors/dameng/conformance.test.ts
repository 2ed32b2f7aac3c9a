/** The kit, where DAMENG_URL names a server and the driver is installed. */
import { testConnector } from '../../../connectors/conformance/kit.ts';
import { targetOf } from '../../../connectors/dameng/driver.ts';
import { dameng } from '../../../connectors/dameng/index.ts';
import { prepareOra } from '../ora-server.ts';

testConnector(dameng, () => prepareOra({ variable: 'DAMENG_URL', targetOf, partitions: 1, timeOfDate: '' }));
