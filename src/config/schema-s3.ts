import { Type } from 'typebox';

/** Keys of the S3 server that the objects lie on, for the group `stores`. */
export const s3Settings = {
  s3AccessKeyId: Type.Optional(
    Type.String({
      env: 'ZOETROPE_S3_ACCESS_KEY_ID',
      description: 'Name of the key for the bucket of `ZOETROPE_OBJECTS_URL`.',
    }),
  ),
  s3SecretAccessKey: Type.Optional(
    Type.String({ env: 'ZOETROPE_S3_SECRET_ACCESS_KEY', description: 'The secret of that key.', isSecret: true }),
  ),
  s3SecretAccessKeyFile: Type.Optional(
    Type.String({
      env: 'ZOETROPE_S3_SECRET_ACCESS_KEY_FILE',
      description: 'File that holds the secret instead, as container runtimes mount it.',
    }),
  ),
};
