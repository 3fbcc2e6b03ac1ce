import type { FastifyReply, FastifyRequest } from 'fastify';
import { Type, type Static } from 'typebox';
import { canSee } from '../../../access/permission.ts';
import { ZoetropeError } from '../../../base/errors.ts';
import { isId } from '../../../base/ids.ts';
import { cleanFilename } from '../../../vod/asset-name.ts';
import { parseAssetOptions } from '../../../vod/asset-request.ts';
import { noUpload } from '../../../vod/uploads/upload-errors.ts';
import type { UploadStatus } from '../../../vod/uploads/uploads.ts';
import { parseJson, TUS_ABILITIES, TusReception, type TusRequest } from '../../../vod/uploads/tus-reception.ts';
import { assetJson, uploadJson } from '../asset-json.ts';
import { AssetShape, UploadShape } from '../asset-shapes.ts';
import type { ApiDeps, RestApp, VodApi } from '../deps.ts';
import { linkOf } from '../json.ts';
import { IdParams } from '../lookup.ts';
import { text } from '../shapes.ts';
import { tenantChoice } from './asset-routes.ts';

const CHUNK_TYPE = 'application/offset+octet-stream';
const ACCESS = ['ingest', 'manage'] as const;
const flag = Type.Optional(Type.Boolean());

/** The options of an asset as far as they fit into a query. */
const PutQuery = Type.Object(
  {
    asset: Type.Optional(
      Type.String({
        maxLength: 16_384,
        description: 'All options as JSON: the body of POST /v1/assets without `source`.',
      }),
    ),
    name: Type.Optional(text(200)),
    referenceId: Type.Optional(text(200)),
    priority: Type.Optional(Type.Integer({ minimum: -10, maximum: 10 })),
    webhookUrl: Type.Optional(Type.String({ maxLength: 2048 })),
    tenant: Type.Optional(text(200)),
    heights: Type.Optional(
      Type.String({
        pattern: '^\\d{1,4}(,\\d{1,4})*$',
        description: 'heights of H.264 outputs, separated by commas, such as 360,720. Left out: the ladder',
      }),
    ),
    audioBitrateKbps: Type.Optional(Type.Integer({ minimum: 16, maximum: 512 })),
    captions: flag,
    poster: flag,
    storyboard: flag,
    download: flag,
    encryption: Type.Optional(Type.Union([Type.Literal('none'), Type.Literal('aes-128')])),
  },
  { additionalProperties: false },
);

const TUS_HEADERS = Type.Object({
  'tus-resumable': Type.Optional(Type.String({ description: 'Always 1.0.0.' })),
  'upload-length': Type.Optional(Type.String({ description: 'Size of the file in bytes.' })),
  'upload-offset': Type.Optional(Type.String({ description: 'Where the bytes belong that are sent.' })),
  'upload-metadata': Type.Optional(
    Type.String({
      description:
        'Keys with values in Base64: `filename`, `filetype`, `sha256` (hexadecimal), `asset` (JSON: the body of POST /v1/assets without `source`).',
    }),
  ),
});
const NOTHING = Type.Null({ description: 'Done.' });

/** Ways in for files: resumable (tus 1.0), or in one piece. */
export function addUploadRoutes(app: RestApp, deps: ApiDeps, vod: VodApi): void {
  void app.register(async (scope: RestApp) => {
    // Bodies are read by who takes them, as they come.
    scope.removeAllContentTypeParsers();
    scope.addContentTypeParser('*', (_request, _payload, done) => done(null));
    addTusRoutes(scope, deps, vod);
    addWholeFileRoute(scope, deps, vod);
  });
}

function addTusRoutes(app: RestApp, deps: ApiDeps, vod: VodApi): void {
  const { uploads } = vod;
  const tus = new TusReception({ uploads, ids: deps.ids, linkOf: (path) => linkOf(path, deps.settings.publicUrl) });
  const answer = async (
    request: FastifyRequest,
    reply: FastifyReply,
    method: TusRequest['method'],
    id: string | null,
  ): Promise<null> => {
    void reply
      .header('tus-resumable', TUS_ABILITIES['tus-resumable'])
      .header('tus-version', TUS_ABILITIES['tus-version']);
    if (id !== null) await loadUpload(request, vod, id);
    const { headers } = request;
    try {
      const done = await tus.handle({ method, id, headers, body: request.raw, tenantFor: tenantChoice(request) });
      void reply.code(done.status).headers(done.headers);
      return null;
    } catch (error) {
      dropRest(request, reply);
      throw error;
    }
  };
  const config = { access: ACCESS, consumes: CHUNK_TYPE };
  const tags = ['uploads'];

  app.post(
    '/v1/uploads',
    {
      config,
      schema: {
        tags,
        consumes: [CHUNK_TYPE],
        summary: 'Begin a resumable upload (tus 1.0)',
        description: `Creation with or without first bytes; \`Location\` in the answer is the upload. At most ${uploads.maxBytes} bytes.`,
        headers: TUS_HEADERS,
        response: { 201: NOTHING },
      },
    },
    (request, reply) => answer(request, reply, 'POST', null),
  );
  app.head(
    '/v1/uploads/:id',
    {
      config,
      schema: {
        tags,
        summary: 'Where a resumable upload stands (tus 1.0)',
        params: IdParams,
        headers: TUS_HEADERS,
        response: { 200: NOTHING },
      },
    },
    (request, reply) => answer(request, reply, 'HEAD', request.params.id),
  );
  app.patch(
    '/v1/uploads/:id',
    {
      config,
      schema: {
        tags,
        consumes: [CHUNK_TYPE],
        summary: 'Send bytes of a resumable upload (tus 1.0)',
        description:
          'The answer to the last bytes has the header `Zoetrope-Asset-Id`: the asset that is made of the file.',
        params: IdParams,
        headers: TUS_HEADERS,
        response: { 204: NOTHING },
      },
    },
    (request, reply) => answer(request, reply, 'PATCH', request.params.id),
  );
  app.delete(
    '/v1/uploads/:id',
    {
      config,
      schema: {
        tags,
        summary: 'End a resumable upload (tus 1.0)',
        description: 'An asset that was made of it stays.',
        params: IdParams,
        headers: TUS_HEADERS,
        response: { 204: NOTHING },
      },
    },
    (request, reply) => answer(request, reply, 'DELETE', request.params.id),
  );
  app.get(
    '/v1/uploads/:id',
    {
      config: { access: ACCESS },
      exposeHeadRoute: false,
      schema: { tags, summary: 'Read a resumable upload', params: IdParams, response: { 200: UploadShape } },
    },
    async (request) => uploadJson(await loadUpload(request, vod, request.params.id)),
  );
}

function addWholeFileRoute(app: RestApp, deps: ApiDeps, vod: VodApi): void {
  app.put(
    '/v1/uploads/:filename',
    {
      config: { access: ACCESS, consumes: 'application/octet-stream' },
      schema: {
        tags: ['uploads'],
        consumes: ['application/octet-stream'],
        summary: 'Send a file in one piece and make an asset of it',
        description:
          'As `curl -T film.mp4 …/v1/uploads/` does. A `Repr-Digest: sha-256=:…:` (RFC 9530) is checked. What breaks off leaves nothing: large files go better by tus.',
        params: Type.Object({ filename: Type.String({ description: 'Names the asset, unless `name` does.' }) }),
        querystring: PutQuery,
        headers: Type.Object({ 'repr-digest': Type.Optional(Type.String({ maxLength: 1000 })) }),
        response: { 202: AssetShape },
      },
    },
    async (request, reply) => {
      const length = request.headers['content-length'];
      try {
        const asset = await vod.uploads.receive({
          asset: parseAssetOptions(optionsOf(request.query), tenantChoice(request)),
          filename: cleanFilename(request.params.filename),
          body: request.raw,
          sizeBytes: length === undefined ? null : Number(length),
          sha256: sha256Of(request.headers['repr-digest']),
        });
        void reply.code(202).header('location', `/v1/assets/${asset.id}`);
        const outputs = await deps.catalog.outputsOf([asset.id]);
        const context = { publicUrl: deps.settings.publicUrl, nowMs: deps.clock.nowMs() };
        return assetJson(asset, outputs.get(asset.id) ?? [], context);
      } catch (error) {
        dropRest(request, reply);
        throw error;
      }
    },
  );
}

/** What a client still sends of a refused file is not waited for. */
function dropRest(request: FastifyRequest, reply: FastifyReply): void {
  if (!request.raw.complete) void reply.header('connection', 'close');
}

/** @throws not_found: in the same words whether it is missing or another tenant's */
async function loadUpload(request: FastifyRequest, { uploads }: VodApi, id: string): Promise<UploadStatus> {
  if (!isId('upload', id)) throw noUpload(id);
  const status = await uploads.status(id);
  if (!canSee(request.principal, status.record.asset.tenant)) throw noUpload(id);
  return status;
}

function optionsOf(query: Static<typeof PutQuery>): unknown {
  const { asset, name, referenceId, priority, webhookUrl, tenant, heights, ...outputs } = query;
  if (asset !== undefined) {
    if (Object.keys(query).length === 1) return parseJson(asset, 'query: asset');
    throw new ZoetropeError(
      'invalid_argument',
      'query: asset holds all options as JSON. Put the others into it, or leave it out.',
    );
  }
  const video = heights?.split(',').map((height) => ({ heightPx: Number(height) }));
  const given = { name, referenceId, priority, webhookUrl, tenant };
  return { ...definedOf(given), outputs: definedOf({ ...outputs, video }) };
}

function definedOf(values: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined));
}

/** The SHA-256 in a `Repr-Digest` (RFC 9530 3, RFC 8941 byte sequence), hexadecimal; null: there is none. @throws invalid_argument */
function sha256Of(header: string | undefined): string | null {
  if (header === undefined) return null;
  const [, base64 = ''] = /(?:^|[,\s])sha-256=:([A-Za-z0-9+/]{43}=):/.exec(header) ?? [];
  if (base64 !== '') return Buffer.from(base64, 'base64').toString('hex');
  throw new ZoetropeError(
    'invalid_argument',
    `Repr-Digest must hold sha-256=:…: with the digest in Base64. Got ${JSON.stringify(header.slice(0, 80))}. Leave it out if you have another.`,
  );
}
