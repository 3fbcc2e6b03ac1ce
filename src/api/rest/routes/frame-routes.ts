import { Type } from 'typebox';
import { requireTenant } from '../../../access/permission.ts';
import { ZoetropeError } from '../../../base/errors.ts';
import { parseRfc3339 } from '../../../base/time.ts';
import type { PostedFrame } from '../../../ingest/frames/frame-intake.ts';
import { addBytesParser } from '../body-parsers.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { IdParams, loadStream } from '../lookup.ts';
import { refuseAtEdge } from '../stream-edge.ts';
import { FrameAcceptedShape, FrameEventShape, text } from '../shapes.ts';

const MAX_EVENTS = 1000;
/** 1,000 events with every field at its longest do not fit; 1,000 ordinary ones do, many times. */
const MAX_EVENTS_BYTES = 4 * 1024 * 1024;

const FrameHeaders = Type.Object({
  'x-captured-at': Type.String({
    format: 'date-time',
    description: 'When the picture was taken: RFC 3339 with a time zone.',
    examples: ['2026-11-20T10:30:00.250Z'],
  }),
  'x-event-id': Type.Optional({ ...text(200), description: 'Your own id of the frame; made when missing.' }),
});

const FRAME_SCHEMA = {
  tags: ['frames'],
  consumes: ['image/jpeg'],
  headers: FrameHeaders,
  response: { 202: FrameAcceptedShape },
};

/** Sending frames: as pictures, or as events that name pictures. */
export function addFrameRoutes(app: RestApp, deps: ApiDeps): void {
  void app.register(async (scope: RestApp) => addPictureRoutes(scope, deps));
  addEventRoute(app, deps);
}

function addPictureRoutes(app: RestApp, deps: ApiDeps): void {
  const { maxFrameBytes } = deps.settings;
  const config = { access: ['ingest'], consumes: 'image/jpeg' } as const;
  addBytesParser(app, 'image/jpeg', maxFrameBytes);

  app.post(
    '/v1/streams/:id/frames',
    {
      config,
      bodyLimit: maxFrameBytes,
      schema: {
        ...FRAME_SCHEMA,
        summary: 'Send a frame to a stream',
        description: 'Answers when the frame is durable.',
        params: IdParams,
      },
    },
    async (request, reply) => {
      const stream = await loadStream(deps.catalog, request, request.params.id);
      await refuseAtEdge(deps.catalog, stream, 'Send its frames there.');
      const accepted = await deps.intake.acceptFrame(stream, frameOf(request.body, request.headers));
      return reply.code(202).send({ eventId: accepted.eventId, streamId: accepted.streamId });
    },
  );

  app.post(
    '/v1/devices/:clientId/:deviceId/frames',
    {
      config,
      bodyLimit: maxFrameBytes,
      schema: {
        ...FRAME_SCHEMA,
        summary: 'Send a frame of a device',
        description: 'The device’s stream is made on its first frame. Answers when the frame is durable.',
        params: Type.Object({
          clientId: {
            ...text(200),
            description: 'The tenant: the key’s own. 1–200 characters without control characters.',
          },
          deviceId: {
            ...text(200),
            description: 'The device’s own name for itself. 1–200 characters without control characters.',
          },
        }),
      },
    },
    async (request, reply) => {
      const { clientId, deviceId } = request.params;
      requireTenant(request.principal, clientId);
      const frame = frameOf(request.body, request.headers);
      const accepted = await deps.intake.acceptDeviceFrame(clientId, deviceId, frame);
      return reply.code(202).send({ eventId: accepted.eventId, streamId: accepted.streamId });
    },
  );
}

function addEventRoute(app: RestApp, deps: ApiDeps): void {
  app.post(
    '/v1/events/frames',
    {
      config: { access: ['ingest'] },
      bodyLimit: MAX_EVENTS_BYTES,
      schema: {
        tags: ['frames'],
        summary: 'Send frame events',
        description: `One frame event or an array of at most ${MAX_EVENTS}: all are taken or none. Answers when they are durable.`,
        body: Type.Union([FrameEventShape, Type.Array(FrameEventShape, { minItems: 1, maxItems: MAX_EVENTS })]),
        response: {
          202: Type.Object({ accepted: Type.Integer(), items: Type.Array(FrameAcceptedShape) }),
        },
      },
    },
    async (request, reply) => {
      const events = [request.body].flat();
      for (const event of events) {
        requireTenant(request.principal, event.clientId);
        parseRfc3339(event.timestamp, 'timestamp of a frame event');
      }
      const accepted = await deps.intake.acceptEvents(events);
      const items = accepted.map(({ eventId, streamId }) => ({ eventId, streamId }));
      return reply.code(202).send({ accepted: items.length, items });
    },
  );
}

function frameOf(
  body: unknown,
  headers: { readonly 'x-captured-at': string; readonly 'x-event-id'?: string },
): PostedFrame {
  if (!Buffer.isBuffer(body) || body.length === 0) {
    throw new ZoetropeError('invalid_argument', 'The body is empty. Send the JPEG itself as Content-Type: image/jpeg.');
  }
  return {
    jpeg: body,
    capturedAtMs: parseRfc3339(headers['x-captured-at'], 'header X-Captured-At'),
    eventId: headers['x-event-id'],
  };
}
