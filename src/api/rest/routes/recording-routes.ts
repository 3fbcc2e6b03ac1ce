import type { FastifyRequest } from 'fastify';
import { Type } from 'typebox';
import { isId } from '../../../base/ids.ts';
import { parseRfc3339 } from '../../../base/time.ts';
import type { HoldFilter } from '../../../catalog/catalog.ts';
import { Recordings } from '../../../recordings/recordings.ts';
import type { Hold } from '../../../timeline/hold.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { recordingJson } from '../json.ts';
import { IdParams, loadHold, loadStream, notFound, PAGE_QUERY, pageOfQuery, timeOf, timeQuery } from '../lookup.ts';
import {
  NewRecordingShape,
  RecordingPatchShape,
  RecordingShape,
  StopRecordingShape,
  type RecordingJson,
} from '../recording-shapes.ts';
import { pageOf } from '../shapes.ts';
import { ownTenant } from './stream-routes.ts';

const RANGE_QUERY = {
  from: timeQuery('Those that overlap what follows.'),
  to: timeQuery('Those that begin before.'),
};

/** Recordings: start, list, read, change, stop, remove. */
export function addRecordingRoutes(app: RestApp, deps: ApiDeps): void {
  const { catalog, clock, settings } = deps;
  const recordings = new Recordings(deps);
  const load = (request: FastifyRequest, id: string): Promise<Hold> => loadHold(catalog, request, 'recording', id);
  const shown = async (hold: Hold): Promise<RecordingJson> =>
    recordingJson(hold.extent === null ? await catalog.measureHold(hold.id) : hold, {
      remoteSegments: await catalog.remoteOfHold(hold),
      nowMs: clock.nowMs(),
      publicUrl: settings.publicUrl,
    });
  const list = async (
    filter: HoldFilter,
    query: { readonly limit?: number; readonly cursor?: string },
  ): Promise<{ items: RecordingJson[]; nextCursor: string | null }> => {
    const page = await catalog.listHolds({ ...filter, kind: 'recording' }, pageOfQuery(query));
    const items: RecordingJson[] = [];
    // One after the other: most are measured already, and one that is not may take its time.
    for (const hold of page.items) items.push(await shown(hold));
    return { items, nextCursor: page.nextCursor };
  };

  app.post(
    '/v1/streams/:id/recordings',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['recordings'],
        summary: 'Start a recording',
        description:
          'From now, or from a time in the past as far as the timeline goes. It keeps its pictures from retention until it is removed; nothing is copied. ' +
          'Any number may run over one stretch, and a source that falls silent ends none.',
        params: IdParams,
        body: NewRecordingShape,
        response: { 201: RecordingShape },
      },
    },
    async (request, reply) => {
      const stream = await loadStream(catalog, request, request.params.id);
      const { title, from, until, metadata } = request.body ?? {};
      const hold = await recordings.start(stream, {
        ...(title === undefined ? {} : { title }),
        ...(from === undefined || from === 'now' ? {} : { fromMs: parseRfc3339(from, 'field from') }),
        ...(until === undefined || until === null ? {} : { untilMs: parseRfc3339(until, 'field until') }),
        ...(metadata === undefined ? {} : { metadata }),
      });
      void reply.code(201).header('location', `/v1/recordings/${hold.id}`);
      return shown(hold);
    },
  );

  app.get(
    '/v1/streams/:id/recordings',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['recordings'],
        summary: 'List the recordings of a stream, newest first',
        params: IdParams,
        querystring: Type.Object({ ...PAGE_QUERY, ...RANGE_QUERY }, { additionalProperties: false }),
        response: { 200: pageOf(RecordingShape) },
      },
    },
    async (request) => {
      const { id } = await loadStream(catalog, request, request.params.id);
      return list({ streamId: id, ...rangeOf(request.query) }, request.query);
    },
  );

  app.get(
    '/v1/recordings',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['recordings'],
        summary: 'List recordings, newest first',
        querystring: Type.Object(
          {
            ...PAGE_QUERY,
            ...RANGE_QUERY,
            streamId: Type.Optional(Type.String({ description: 'Only this stream’s.' })),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(RecordingShape) },
      },
    },
    async (request) => {
      const { streamId } = request.query;
      if (streamId !== undefined && !isId('stream', streamId)) throw notFound('stream', streamId);
      const tenant = ownTenant(request.principal);
      return list(
        {
          ...(tenant === undefined ? {} : { tenant }),
          ...(streamId === undefined ? {} : { streamId }),
          ...rangeOf(request.query),
        },
        request.query,
      );
    },
  );

  app.get(
    '/v1/recordings/:id',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['recordings'],
        summary: 'Read a recording',
        params: IdParams,
        response: { 200: RecordingShape },
      },
    },
    async (request) => shown(await load(request, request.params.id)),
  );

  app.patch(
    '/v1/recordings/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['recordings'],
        summary: 'Change a recording',
        description: 'What is not named stays; `metadata` is replaced as a whole.',
        params: IdParams,
        body: RecordingPatchShape,
        response: { 200: RecordingShape },
      },
    },
    async (request) => {
      const { id } = await load(request, request.params.id);
      const { title, metadata } = request.body;
      return shown(
        await catalog.updateHold(id, {
          ...(title === undefined ? {} : { name: title }),
          ...(metadata === undefined ? {} : { metadata }),
        }),
      );
    },
  );

  app.post(
    '/v1/recordings/:id/stop',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['recordings'],
        summary: 'Stop a recording',
        description:
          'Now, or at a time: one in the past cuts off what came after it, one that lies ahead stops it then. One that was stopped stays as it is.',
        params: IdParams,
        body: StopRecordingShape,
        response: { 200: RecordingShape },
      },
    },
    async (request) => {
      const hold = await load(request, request.params.id);
      const stream = await catalog.getStream(hold.streamId);
      const at = request.body?.at;
      return shown(await recordings.stop(hold, stream, at === undefined ? undefined : parseRfc3339(at, 'field at')));
    },
  );

  app.delete(
    '/v1/recordings/:id',
    {
      config: { access: ['manage'] },
      schema: {
        tags: ['recordings'],
        summary: 'Remove a recording',
        description:
          'It is listed no longer, and stops if it runs. Segments that nothing else keeps go when retention next comes by and players have finished.',
        params: IdParams,
        response: { 204: Type.Null({ description: 'It is gone.' }) },
      },
    },
    async (request, reply) => {
      const { id } = await load(request, request.params.id);
      await catalog.releaseHold(id);
      return reply.code(204).send(null);
    },
  );
}

function rangeOf({ from, to }: { readonly from?: string; readonly to?: string }): Pick<HoldFilter, 'fromMs' | 'toMs'> {
  const fromMs = timeOf(from, 'query from');
  const toMs = timeOf(to, 'query to');
  return { ...(fromMs === undefined ? {} : { fromMs }), ...(toMs === undefined ? {} : { toMs }) };
}
