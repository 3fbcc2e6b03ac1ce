import { Type } from 'typebox';
import { canSee } from '../../../access/permission.ts';
import { isId } from '../../../base/ids.ts';
import type { StreamStore } from '../../../catalog/catalog.ts';
import { deadLetterTopic, type DeadLetter, type LoggedEvent } from '../../../events/event-log.ts';
import { CHUNKS_TOPIC } from '../../../ingest/chunks/chunk-event.ts';
import { FRAMES_TOPIC } from '../../../ingest/frames/frame-event.ts';
import type { ApiDeps, RestApp } from '../deps.ts';
import { timeJson } from '../json.ts';
import { orNull, PAGE_QUERY } from '../lookup.ts';
import { DeadLetterShape, HealthShape, pageOf, ServerShape } from '../shapes.ts';

const MAX_LETTERS = 1000;

/** The server itself: what it is, how it fares, what it had to give up. */
export function addServerRoutes(app: RestApp, deps: ApiDeps): void {
  const { catalog, clock, settings } = deps;
  const startedAtMs = clock.monotonicMs();

  app.get(
    '/v1/server',
    {
      config: { access: ['read'] },
      schema: { tags: ['server'], summary: 'What this server is and holds', response: { 200: ServerShape } },
    },
    async () => {
      const [totals, freeBytes] = await Promise.all([catalog.totals(), deps.objects.freeBytes()]);
      return {
        version: settings.version,
        now: timeJson(clock.nowMs()),
        uptimeSeconds: Math.round((clock.monotonicMs() - startedAtMs) / 1000),
        streams: totals.streams,
        segments: totals.segments,
        segmentBytes: totals.segmentBytes,
        freeBytes,
        roles: [...settings.roles],
      };
    },
  );

  app.get(
    '/v1/dead-letters',
    {
      config: { access: ['read'] },
      schema: {
        tags: ['server'],
        summary: 'Frames or chunks that had to be given up, and why',
        description: `Newest last, of the newest ${MAX_LETTERS}.`,
        querystring: Type.Object(
          {
            limit: PAGE_QUERY.limit,
            topic: Type.Optional(
              Type.Union([Type.Literal('frames'), Type.Literal('chunks')], {
                default: 'frames',
                description: 'Whether events of `zoetrope.frames` or of `zoetrope.chunks`.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        response: { 200: pageOf(DeadLetterShape) },
      },
    },
    async (request) => {
      const topic = request.query.topic === 'chunks' ? CHUNKS_TOPIC : FRAMES_TOPIC;
      const letters = await deps.events.peek(deadLetterTopic(topic), { limit: MAX_LETTERS });
      const tenants = topic === CHUNKS_TOPIC ? await tenantsOf(letters, catalog) : null;
      const own = letters.filter((letter) => canSee(request.principal, tenants?.get(letter) ?? tenantOf(letter)));
      return { items: own.slice(-(request.query.limit ?? 100)).map(deadLetterJson), nextCursor: null };
    },
  );

  for (const [path, ask, summary] of [
    ['/healthz', () => deps.health.live(), 'Whether the process is alive'],
    ['/readyz', () => deps.health.ready(), 'Whether it should get work'],
  ] as const) {
    app.get(
      path,
      {
        config: { access: 'public' },
        schema: { tags: ['server'], summary, security: [], response: { 200: HealthShape, 503: HealthShape } },
      },
      async (_request, reply) => {
        const report = await ask();
        void reply.code(report.status === 'ok' ? 200 : 503).header('cache-control', 'no-store');
        return { status: report.status, checks: { ...report.checks } };
      },
    );
  }
}

function deadLetterJson({ value, publishedAtMs }: LoggedEvent): DeadLetter {
  const letter = (typeof value === 'object' && value !== null ? value : {}) as Partial<DeadLetter>;
  return {
    code: letter.code ?? 'internal',
    cause: letter.cause ?? 'It is not known.',
    tries: letter.tries ?? 0,
    event: letter.event ?? null,
    diedAt: letter.diedAt ?? new Date(publishedAtMs).toISOString(),
  };
}

/** Whose streams chunk events were for; of those that lead nowhere there is none. */
async function tenantsOf(
  letters: readonly LoggedEvent[],
  catalog: Pick<StreamStore, 'getStream'>,
): Promise<ReadonlyMap<LoggedEvent, string>> {
  const known = new Map<string, string | undefined>();
  for (const id of new Set(letters.map(({ key }) => key).filter((key) => isId('stream', key)))) {
    known.set(id, (await orNull(catalog.getStream(id)))?.tenant);
  }
  return new Map(
    letters.flatMap((letter) => {
      const tenant = known.get(letter.key);
      return tenant === undefined ? [] : [[letter, tenant] as const];
    }),
  );
}

/** Whose event it was; one that cannot be told is for admins alone. */
function tenantOf(letter: LoggedEvent): string {
  const event: unknown = (letter.value as Partial<DeadLetter> | null)?.event;
  const clientId: unknown = typeof event === 'object' && event !== null ? Reflect.get(event, 'clientId') : undefined;
  return typeof clientId === 'string' ? clientId : '';
}
