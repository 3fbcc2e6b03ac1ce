import { messageOf, ZoetropeError } from '../../base/errors.ts';

/** Where the objects lie, and with whose keys. */
export interface S3Address {
  /** Without a path, e.g. `https://s3.eu-central-1.amazonaws.com`. */
  readonly endpoint: URL;
  /** Where clients reach the same server, for presigned URLs. */
  readonly publicEndpoint: URL;
  readonly bucket: string;
  /** Before every key: empty, or ends with `/`. */
  readonly prefix: string;
  readonly region: string;
  /** The bucket stands in the path, not in the host name. */
  readonly pathStyle: boolean;
  readonly accessKeyId: string;
  readonly secretAccessKey: string;
  /** Sent as `x-amz-storage-class`; null: the bucket's default. */
  readonly storageClass: string | null;
  /** PEM file of the authority that signed the server's certificate; null: those that Node.js trusts. */
  readonly caFile: string | null;
}

/** How `ZOETROPE_OBJECTS_URL` names an S3 store. */
export const S3_URL_FORM = 's3://BUCKET/PREFIX?endpoint=…&region=…';

const PARAMETERS = ['endpoint', 'publicEndpoint', 'region', 'pathStyle', 'storageClass', 'ca'];
/** Every rule that servers have for the names of buckets allows these. */
const BUCKET = /^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$/;
const PREFIX_PART = /^[A-Za-z0-9_-][A-Za-z0-9._-]*$/;
/** With a key of 512 characters it stays below S3's limit of 1024 bytes. */
const MAX_PREFIX_LENGTH = 256;

/**
 * Reads `s3://KEY:SECRET@BUCKET/PREFIX?endpoint=URL&publicEndpoint=URL&region=NAME&pathStyle=true&storageClass=NAME&ca=FILE`. Only the bucket must be
 * there, and the keys, which the configuration may add: see {@link withKeys}.
 * @throws invalid_configuration that names the part which is wrong, and no secret
 */
export function parseS3Address(text: string): S3Address {
  const url = URL.parse(text);
  if (url === null || url.protocol !== 's3:') throw wrong(`be ${S3_URL_FORM}`);
  const query = url.searchParams;
  const unknown = [...query.keys()].find((name) => !PARAMETERS.includes(name));
  if (unknown !== undefined)
    throw wrong(`have no parameter ${JSON.stringify(unknown)}: ${PARAMETERS.join(', ')} exist`);
  const bucket = url.host;
  if (!BUCKET.test(bucket)) {
    throw wrong(`name a bucket of 3–63 characters of a–z, 0–9, "." and "-". Got ${JSON.stringify(bucket)}`);
  }
  const parts = url.pathname.split('/').filter((part) => part !== '');
  const prefix = parts.map((part) => `${part}/`).join('');
  if (!parts.every((part) => PREFIX_PART.test(part)) || prefix.length > MAX_PREFIX_LENGTH) {
    throw wrong(
      `have a prefix of at most ${MAX_PREFIX_LENGTH} characters of A–Z, a–z, 0–9, ".", "_", "/" and "-". Got ${JSON.stringify(url.pathname)}`,
    );
  }
  const region = query.get('region') ?? 'us-east-1';
  const named = query.get('endpoint');
  const endpoint = endpointOf(named ?? `https://s3.${region}.amazonaws.com`, 'endpoint');
  const outside = query.get('publicEndpoint');
  const pathStyle = query.get('pathStyle') ?? String(named !== null);
  if (pathStyle !== 'true' && pathStyle !== 'false') throw wrong('have a pathStyle of true or false');
  if (url.username === '' || url.password === '') {
    throw wrong(
      'come with keys: set ZOETROPE_S3_ACCESS_KEY_ID, and ZOETROPE_S3_SECRET_ACCESS_KEY or ZOETROPE_S3_SECRET_ACCESS_KEY_FILE',
    );
  }
  return {
    endpoint,
    publicEndpoint: outside === null ? endpoint : endpointOf(outside, 'publicEndpoint'),
    bucket,
    prefix,
    region,
    pathStyle: pathStyle === 'true',
    accessKeyId: decoded(url.username),
    secretAccessKey: decoded(url.password),
    storageClass: query.get('storageClass'),
    caFile: query.get('ca'),
  };
}

/** Puts keys into an S3 URL that has none. */
export function withKeys(text: string, accessKeyId: string, secretAccessKey: string): string {
  const keys = `${encodeURIComponent(accessKeyId)}:${encodeURIComponent(secretAccessKey)}`;
  return text.replace(/^s3:\/\/(?:[^@/?]*@)?/, () => `s3://${keys}@`);
}

/** The address of an object, or of the bucket where no key is given: host name and encoded path. */
export function placeOf(address: S3Address, endpoint: URL, key: string | null): { host: string; path: string } {
  // The grammar of keys and prefixes has no character that a path must encode.
  const path = key === null ? '/' : `/${address.prefix}${key}`;
  if (address.pathStyle) return { host: endpoint.host, path: `/${address.bucket}${key === null ? '' : path}` };
  return { host: `${address.bucket}.${endpoint.host}`, path };
}

function endpointOf(text: string, parameter: string): URL {
  const url = URL.parse(text);
  const isBare = url !== null && url.pathname === '/' && url.search === '' && url.username === '';
  if (isBare && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw wrong(`have an ${parameter} such as https://s3.example.org, without a path. Got ${JSON.stringify(text)}`);
}

function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch (error) {
    throw wrong(`have keys that are percent-encoded (${messageOf(error)})`);
  }
}

function wrong(must: string): ZoetropeError {
  return new ZoetropeError('invalid_configuration', `ZOETROPE_OBJECTS_URL must ${must}.`);
}
