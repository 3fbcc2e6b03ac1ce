import { randomBytes } from 'node:crypto';
import type { AccessStore } from '../catalog/catalog.ts';

/** Standard Webhooks asks for 24 to 64 random bytes. */
const SECRET_BYTES = 32;
const PREFIX = 'whsec_';

/** A new key to sign with, in the form that libraries for Standard Webhooks take: `whsec_` and base64. */
export function newSigningSecret(): string {
  return written(randomBytes(SECRET_BYTES));
}

/** The key of a tenant that signs what goes to assets' own addresses, which have no endpoint with a secret. Made when it is first asked for. */
export async function jobSecret(catalog: Pick<AccessStore, 'serverSecret'>, tenant: string): Promise<string> {
  return written(await catalog.serverSecret(`webhook:${tenant}`, () => randomBytes(SECRET_BYTES)));
}

function written(bytes: Uint8Array): string {
  return PREFIX + Buffer.from(bytes).toString('base64');
}
