/** Which role may do what: the one table. Reading a dataset needs a grant besides (`grants.ts`). */
import { HuitongError } from '../../lib/errors.ts';
import type { Token } from '../../schemas/generated/api.ts';

export type Role = Token['roles'][number];

/** Who calls: what a token says of its holder. */
export interface Principal {
  tokenId: string;
  department: string;
  /** The person or system. Never written to the audit log but as a keyed hash. */
  subject: string;
  roles: Role[];
}

/** `own`: objects of the principal's own department; `any`: everybody's. */
type Reach = 'own' | 'any';

const everyRole: Record<Role, Reach> = {
  officer: 'any',
  engineer: 'any',
  administrator: 'any',
  auditor: 'any',
  operator: 'any',
  worker: 'any',
  'sharing-officer': 'any',
  supervisor: 'any',
  portal: 'any',
};

/**
 * Rows of actions, cells of roles; what is not here is not allowed. Operator and auditor are kept apart on purpose:
 * who runs the machine does not judge its log, and neither reads data.
 */
const rights = {
  'catalog.read': everyRole,
  'dataset.read': { officer: 'any', engineer: 'any' },
  'dataset.publish': { engineer: 'own' },
  'run.read': { officer: 'own', engineer: 'own', administrator: 'any', auditor: 'any', operator: 'any' },
  'run.cancel': { engineer: 'own', operator: 'any' },
  'run.stage': { worker: 'own', operator: 'any' },
  'source.check': { engineer: 'own' },
  'source.discover': { engineer: 'own' },
  'source.upload': { engineer: 'own' },
  // Answers tell of rows that no version holds yet; whoever is no engineer sees personal cells masked.
  'dataset.infer': { engineer: 'own' },
  'dataset.preview': { engineer: 'own', officer: 'own', 'sharing-officer': 'own' },
  'quarantine.read': { officer: 'own', engineer: 'own' },
  'token.manage': { administrator: 'any' },
  'token.rotate': everyRole,
  'person.manage': { administrator: 'any' },
  'person.self': everyRole,
  'district.plan': { administrator: 'any' },
  'district.apply': { administrator: 'any' },
  // Of the provider; who was given it may read it too.
  'grant.create': { officer: 'own', 'sharing-officer': 'own' },
  'grant.read': {
    officer: 'own',
    engineer: 'own',
    'sharing-officer': 'own',
    supervisor: 'any',
    administrator: 'any',
    auditor: 'any',
  },
  'grant.change': { officer: 'own', 'sharing-officer': 'own', supervisor: 'any', administrator: 'any' },
  'audit.read': { auditor: 'any' },
  // Of the department that made the access, and of the one whose data it was.
  'receipt.read': { officer: 'own', engineer: 'own', 'sharing-officer': 'own', auditor: 'any' },
  'request.create': { officer: 'own' },
  'request.read': { officer: 'own', 'sharing-officer': 'own', supervisor: 'any', auditor: 'any' },
  // In which party, and what exactly: lib/pure/request-transitions.ts.
  'request.act': { officer: 'own', 'sharing-officer': 'own', supervisor: 'any' },
  'request.preview': { 'sharing-officer': 'own' },
  // In which party, and what exactly: lib/pure/case-transitions.ts.
  // An engineer's are those of catalog entries alone.
  'case.read': { officer: 'own', 'sharing-officer': 'own', engineer: 'own', supervisor: 'any', auditor: 'any' },
  'case.act': { officer: 'own', 'sharing-officer': 'own', engineer: 'own', supervisor: 'any' },
  // Who reviews an entry is its case's supervisor, and never one who spoke for it.
  'entry.propose': { engineer: 'own', 'sharing-officer': 'own' },
  'entry.read': { engineer: 'own', 'sharing-officer': 'own', supervisor: 'any', auditor: 'any' },
  'entry.revoke': { 'sharing-officer': 'own' },
  'correction.file': { officer: 'own' },
  'correction.claim': { 'sharing-officer': 'own' },
  'rating.give': { officer: 'own' },
  'rating.read': { officer: 'own', 'sharing-officer': 'own', supervisor: 'any', auditor: 'any' },
  'version.recall': { 'sharing-officer': 'own' },
  'version.hold': { engineer: 'own', officer: 'own', 'sharing-officer': 'own' },
  'duty.read': { officer: 'own', 'sharing-officer': 'own', supervisor: 'any', auditor: 'any' },
  'metering.read': { officer: 'own', 'sharing-officer': 'own', engineer: 'own', auditor: 'any' },
  'subject.read': { auditor: 'any', portal: 'any' },
  'request.recompute': { supervisor: 'any', administrator: 'any' },
} as const satisfies Record<string, Partial<Record<Role, Reach>>>;

export type Action = keyof typeof rights;

/** Whether some object exists on which the principal may do this; `requireRight` asks about one object. */
export function mayEver(principal: Principal, action: Action): boolean {
  return reachesOf(principal, action).length > 0;
}

/**
 * @param department the owner of the object acted upon; absent where the object has none
 * @throws FORBIDDEN where no role of the principal knows the action
 * @throws NOT_FOUND where it does, and the object is another department's: forbidden and absent look the same
 */
export function requireRight(principal: Principal, action: Action, department?: string): void {
  const reaches = reachesOf(principal, action);
  if (reaches.length === 0) throw forbidden(action);
  if (reaches.includes('any') || department === principal.department) return;
  throw new HuitongError('NOT_FOUND', '没有该对象 · there is no such object');
}

/** For who has no role that knows the action. */
export function forbidden(action: Action): HuitongError {
  const roles = rolesOf(action).map(({ role }) => role);
  const message = `您的角色不能办理此事，需要：${roles.join('、')} · no role of this token may do that; it takes: ${roles.join(', ')}`;
  return new HuitongError('FORBIDDEN', message, { at: action });
}

/** The department whose objects alone a listing may show the principal; undefined: everybody's. */
export function listingLimit(principal: Principal, action: Action): string | undefined {
  return reachesOf(principal, action).includes('any') ? undefined : principal.department;
}

/** Who runs the machine, who keeps its rights and who judges its log are three people (GOVERNANCE.md, Actors). */
const separate: readonly Role[] = ['administrator', 'auditor', 'operator'];

/** @throws REQUEST_INVALID for no role at all; ROLES_CONFLICT for two that nobody may hold together */
export function requireSeparateRoles(roles: readonly Role[]): void {
  if (roles.length === 0)
    throw new HuitongError('REQUEST_INVALID', '至少需要一个角色 · a role is needed', { pointer: '/roles' });
  const both = separate.filter((role) => roles.includes(role));
  if (both.length < 2) return;
  throw new HuitongError(
    'ROLES_CONFLICT',
    `${both.join('、')} 不得由一人兼任 · ${both.join(' and ')} are never one holder`,
    { pointer: '/roles' },
  );
}

/** The row of one action, for documentation. */
export function rolesOf(action: Action): { role: Role; reach: Reach }[] {
  return (Object.entries(rights[action]) as [Role, Reach][]).map(([role, reach]) => ({ role, reach }));
}

function reachesOf({ roles }: Principal, action: Action): Reach[] {
  const row: Partial<Record<Role, Reach>> = rights[action];
  return roles.flatMap((role) => row[role] ?? []);
}
