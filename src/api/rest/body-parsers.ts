import { messageOf, ZoetropeError } from '../../base/errors.ts';
import type { RestApp } from './deps.ts';

/** Takes JSON bodies and nothing else: an empty body is none, a damaged one is told where it breaks, `__proto__` is refused. */
export function addJsonParser(app: RestApp): void {
  app.removeAllContentTypeParsers();
  const parse = app.getDefaultJsonParser('error', 'error');
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (request, body, done) => {
    assertNotEncoded(request.headers['content-encoding']);
    if (body.length === 0) return done(null, undefined);
    void parse(request, body.toString(), (error, value) => {
      if (error === null) return done(null, value);
      done(
        new ZoetropeError(
          'invalid_argument',
          `The body is not JSON: ${faultOf(body.toString())}. Send one JSON value.`,
        ),
      );
    });
  });
}

/** Takes a body of one other media type as bytes, and nothing else. */
export function addBytesParser(app: RestApp, mediaType: string, maxBytes: number): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser(mediaType, { parseAs: 'buffer', bodyLimit: maxBytes }, (request, body, done) => {
    assertNotEncoded(request.headers['content-encoding']);
    done(null, body);
  });
}

/** Where a JSON text breaks; Fastify's parser does not tell. */
function faultOf(body: string): string {
  try {
    JSON.parse(body);
    return 'keys named __proto__ or constructor.prototype are not taken';
  } catch (error) {
    return messageOf(error).slice(0, 200);
  }
}

/** Bodies are taken as they are: a small one that unpacks to gigabytes has no way in. */
function assertNotEncoded(encoding: string | undefined): void {
  if (encoding === undefined || encoding === 'identity') return;
  throw new ZoetropeError(
    'unsupported_media',
    `Send the body without Content-Encoding. Got ${JSON.stringify(encoding.slice(0, 80))}.`,
  );
}
