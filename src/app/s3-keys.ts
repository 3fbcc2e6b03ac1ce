import { readFileSync } from 'node:fs';
import { messageOf, ZoetropeError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { withKeys } from '../objects/s3/s3-address.ts';

/** An S3 URL with the configured keys in it, if there are any: not for messages. @throws invalid_configuration when the secret is missing */
export function withConfiguredKeys(objectsUrl: string, stores: Config['stores']): string {
  const { s3AccessKeyId: id, s3SecretAccessKey: secret, s3SecretAccessKeyFile: secretFile } = stores;
  if (!objectsUrl.startsWith('s3:') || id === undefined) return objectsUrl;
  return withKeys(objectsUrl, id, secret ?? readSecret(secretFile));
}

function readSecret(path: string | undefined): string {
  const fail = (why: string, cause?: unknown): never => {
    throw new ZoetropeError('invalid_configuration', why, { cause });
  };
  if (path === undefined) {
    return fail(
      'ZOETROPE_S3_ACCESS_KEY_ID has no secret: set ZOETROPE_S3_SECRET_ACCESS_KEY or ZOETROPE_S3_SECRET_ACCESS_KEY_FILE.',
    );
  }
  let text = '';
  try {
    text = readFileSync(path, 'utf8').trim();
  } catch (error) {
    fail(`ZOETROPE_S3_SECRET_ACCESS_KEY_FILE cannot be read: ${messageOf(error)}.`, error);
  }
  return text === '' ? fail(`ZOETROPE_S3_SECRET_ACCESS_KEY_FILE names a file without a secret: ${path}.`) : text;
}
