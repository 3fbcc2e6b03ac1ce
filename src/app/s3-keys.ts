import { ZoetropeError } from '../base/errors.ts';
import type { Config } from '../config/schema.ts';
import { withKeys } from '../objects/s3/s3-address.ts';
import { readSecretFile } from './secret-file.ts';

/** An S3 URL with the configured keys in it, if there are any: not for messages. @throws invalid_configuration when the secret is missing */
export function withConfiguredKeys(objectsUrl: string, stores: Config['stores']): string {
  const { s3AccessKeyId: id, s3SecretAccessKey: secret, s3SecretAccessKeyFile: secretFile } = stores;
  if (!objectsUrl.startsWith('s3:') || id === undefined) return objectsUrl;
  return withKeys(objectsUrl, id, secret ?? readSecret(secretFile));
}

function readSecret(path: string | undefined): string {
  if (path !== undefined) return readSecretFile(path, 'ZOETROPE_S3_SECRET_ACCESS_KEY_FILE');
  throw new ZoetropeError(
    'invalid_configuration',
    'ZOETROPE_S3_ACCESS_KEY_ID has no secret: set ZOETROPE_S3_SECRET_ACCESS_KEY or ZOETROPE_S3_SECRET_ACCESS_KEY_FILE.',
  );
}
