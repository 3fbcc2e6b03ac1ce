import type { Access, PlaybackResource, Principal } from '../access/access.ts';
import { canSee, requireScope } from '../access/permission.ts';
import type { ZoetropeError } from '../base/errors.ts';

/** What delivery needs to know who may watch. */
export interface DeliveryAccess extends Pick<Access, 'isOpen' | 'authenticate' | 'verifyPlaybackToken'> {
  /** Whether this token was verified for this resource before and has not expired. */
  isKnownPlaybackToken(token: string, resource: PlaybackResource): boolean;
}

/** What a request shows of its right. */
export interface Credentials {
  readonly token: string | undefined;
  readonly authorization: string | undefined;
}

/** How a request was let in. */
export interface Admission {
  /** The token that opened it, for the URIs of children; also on an open server, where a token is simply passed on. */
  readonly token: string | undefined;
  /** Who asked, when an `Authorization` header decided: the answer is for them alone, and the tenant is still to be judged. */
  readonly principal: Principal | null;
}

/** Lets a request in before anything is looked up, so that strangers learn nothing. @throws unauthenticated, permission_denied */
export async function admit(
  access: Pick<Access, 'isOpen' | 'authenticate' | 'verifyPlaybackToken'>,
  resource: PlaybackResource,
  credentials: Credentials,
): Promise<Admission> {
  const { token, authorization } = credentials;
  if (access.isOpen()) return { token, principal: null };
  if (token !== undefined) {
    await access.verifyPlaybackToken(token, resource);
    return { token, principal: null };
  }
  const principal = await access.authenticate(authorization);
  requireScope(principal, 'read');
  return { token, principal };
}

/** The second half of {@link admit}, when the tenant is known. @throws `missing` across tenants, which must be what is thrown when nothing is there. */
export function requireTenantOf(admission: Admission, tenant: string, missing: () => ZoetropeError): void {
  if (admission.principal !== null && !canSee(admission.principal, tenant)) throw missing();
}
