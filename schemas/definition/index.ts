/** The schemas of a district's definitions; `common.json` is what they refer to. */
import common from './common.json' with { type: 'json' };
import dataset from './dataset.json' with { type: 'json' };
import department from './department.json' with { type: 'json' };
import district from './district.json' with { type: 'json' };
import policy from './policy.json' with { type: 'json' };
import source from './source.json' with { type: 'json' };

export const definitionSchemas = { common, dataset, department, district, policy, source };
