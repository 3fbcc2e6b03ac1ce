import { ZoetropeError } from '../../base/errors.ts';
import type { DeliveryTry, EndpointSecret, WebhookEndpoint, WebhookStore } from '../webhook-store.ts';
import type { SqlBackend } from './backend.ts';
import { pageLimit, readCursor, toPage } from './cursor.ts';
import { found, type Row } from './rows.ts';
import type { CatalogDb } from './schema.ts';
import { claimDeliveries } from './webhook-claim.ts';
import { toDelivery, toEndpoint } from './webhook-rows.ts';
import type { WebhookDeliveryTable, WebhookEndpointTable } from './webhook-schema.ts';

/** Redelivering by hand must not let a row grow without end. */
const TRIES_KEPT = 100;

/** Makes the {@link WebhookStore} of a SQL database. */
export function sqlWebhookStore(backend: SqlBackend): WebhookStore {
  return {
    createEndpoint: ({ secret, ...endpoint }) =>
      backend.write(async ({ db }) => {
        const nowMs = backend.clock.nowMs();
        const secrets: readonly EndpointSecret[] = [{ secret, createdAtMs: nowMs, expiresAtMs: null }];
        const row: Row<WebhookEndpointTable> = {
          id: endpoint.id,
          tenant: endpoint.tenant,
          url: endpoint.url,
          types: JSON.stringify(endpoint.types),
          description: endpoint.description,
          secrets: JSON.stringify(secrets),
          enabled: 1,
          disabled_cause: null,
          created_at_ms: nowMs,
        };
        try {
          await db.insertInto('webhook_endpoint').values(row).execute();
        } catch (error) {
          if (!backend.isUniqueViolation(error)) throw error;
          throw new ZoetropeError('conflict', `There is an endpoint ${endpoint.id} already. Give each a fresh id.`, {
            cause: error,
          });
        }
        return toEndpoint(row, nowMs);
      }),

    getEndpoint: async (id) => toEndpoint(await findEndpoint(backend.reader(), id), backend.clock.nowMs()),

    async listEndpoints(filter, page) {
      const after = readCursor(page.cursor, ['number', 'string']);
      let query = backend.reader().selectFrom('webhook_endpoint').selectAll();
      if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
      if (after !== null) {
        const [createdAtMs, id] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb('created_at_ms', '>', createdAtMs),
            eb.and([eb('created_at_ms', '=', createdAtMs), eb('id', '>', id)]),
          ]),
        );
      }
      const rows = await query.orderBy('created_at_ms').orderBy('id').limit(pageLimit(page)).execute();
      const nowMs = backend.clock.nowMs();
      return toPage(
        rows,
        page,
        (row) => toEndpoint(row, nowMs),
        (row) => [row.created_at_ms, row.id],
      );
    },

    updateEndpoint: (id, change) =>
      backend.write(async ({ db }) => {
        const before = await findEndpoint(db, id);
        const row = applyChange(before, change);
        await db.updateTable('webhook_endpoint').set(row).where('id', '=', id).execute();
        const waiting = db.updateTable('webhook_delivery').where('endpoint_id', '=', id).where('state', '=', 'waiting');
        if (row.url !== before.url) await waiting.set({ url: row.url }).execute();
        if (row.enabled !== before.enabled) {
          await waiting
            .set((eb) => ({ due_at_ms: row.enabled === 1 ? eb.ref('next_try_at_ms') : eb.val(null) }))
            .execute();
        }
        return toEndpoint(row, backend.clock.nowMs());
      }),

    deleteEndpoint: (id) =>
      backend.write(async ({ db }) => {
        await findEndpoint(db, id);
        await db.deleteFrom('webhook_delivery').where('endpoint_id', '=', id).where('state', '=', 'waiting').execute();
        await db.deleteFrom('webhook_endpoint').where('id', '=', id).execute();
      }),

    claimDeliveries: (request) => backend.write((scope) => claimDeliveries(backend, scope, request)),

    recordTry: (deliveryId, attempt, nextTryAtMs) =>
      backend.write(async ({ db }) => {
        const row = await findDelivery(db, deliveryId);
        const tries = [...(JSON.parse(row.tries) as DeliveryTry[]), attempt].slice(-TRIES_KEPT);
        const isPaused = row.endpoint_id !== null && (await findEndpoint(db, row.endpoint_id)).enabled === 0;
        const after = stateAfter(row, attempt, nextTryAtMs);
        const dueAtMs = isPaused ? null : after.next_try_at_ms;
        const endedAtMs = after.state === 'waiting' ? null : (row.ended_at_ms ?? backend.clock.nowMs());
        await db
          .updateTable('webhook_delivery')
          .set({ ...after, due_at_ms: dueAtMs, ended_at_ms: endedAtMs, tries: JSON.stringify(tries) })
          .where('id', '=', deliveryId)
          .execute();
      }),

    getDelivery: async (id) => toDelivery(await findDelivery(backend.reader(), id)),

    async listDeliveries(filter, page) {
      const after = readCursor(page.cursor, ['number', 'string']);
      let query = backend.reader().selectFrom('webhook_delivery').selectAll();
      if (filter.tenant !== undefined) query = query.where('tenant', '=', filter.tenant);
      if (filter.endpointId !== undefined) query = query.where('endpoint_id', '=', filter.endpointId);
      if (filter.subjectId !== undefined) query = query.where('subject_id', '=', filter.subjectId);
      if (filter.state !== undefined) query = query.where('state', '=', filter.state);
      if (after !== null) {
        const [revision, id] = [Number(after[0]), String(after[1])];
        query = query.where((eb) =>
          eb.or([
            eb('made_at_revision', '<', revision),
            eb.and([eb('made_at_revision', '=', revision), eb('id', '<', id)]),
          ]),
        );
      }
      const rows = await query
        .orderBy('made_at_revision', 'desc')
        .orderBy('id', 'desc')
        .limit(pageLimit(page))
        .execute();
      return toPage(rows, page, toDelivery, (row) => [row.made_at_revision, row.id]);
    },

    redeliver: (id) =>
      backend.write(async ({ db }) => {
        const row = await findDelivery(db, id);
        await checkIsEnabled(db, row);
        const nowMs = backend.clock.nowMs();
        const again = { ...row, state: 'waiting', next_try_at_ms: nowMs, due_at_ms: nowMs, ended_at_ms: null };
        await db.updateTable('webhook_delivery').set(again).where('id', '=', id).execute();
        return toDelivery(again);
      }),

    forgetDeliveries: (endedBeforeMs) =>
      backend.write(async ({ db }) => {
        const { numDeletedRows } = await db
          .deleteFrom('webhook_delivery')
          .where('ended_at_ms', '<', endedBeforeMs)
          .executeTakeFirst();
        return Number(numDeletedRows);
      }),
  };
}

/** What is delivered stays so, and what has ended is not begun again, whatever a sender says that lost its lease. */
function stateAfter(
  row: Row<WebhookDeliveryTable>,
  attempt: DeliveryTry,
  nextTryAtMs: number | null,
): Pick<Row<WebhookDeliveryTable>, 'state' | 'next_try_at_ms'> {
  if (attempt.error === null) return { state: 'delivered', next_try_at_ms: null };
  if (row.state !== 'waiting') return { state: row.state, next_try_at_ms: null };
  return { state: nextTryAtMs === null ? 'failed' : 'waiting', next_try_at_ms: nextTryAtMs };
}

type EndpointChange = Parameters<WebhookStore['updateEndpoint']>[1];

function applyChange(row: Row<WebhookEndpointTable>, change: EndpointChange): Row<WebhookEndpointTable> {
  const enabled = change.enabled ?? row.enabled === 1;
  const cause = change.disabledCause === undefined ? row.disabled_cause : change.disabledCause;
  return {
    ...row,
    url: change.url ?? row.url,
    types: change.types === undefined ? row.types : JSON.stringify(change.types),
    description: change.description ?? row.description,
    enabled: Number(enabled),
    disabled_cause: enabled ? null : cause,
    secrets: change.secrets === undefined ? row.secrets : JSON.stringify(newestFirst(change.secrets)),
  };
}

function newestFirst(secrets: WebhookEndpoint['secrets']): WebhookEndpoint['secrets'] {
  return secrets.toSorted((a, b) => b.createdAtMs - a.createdAtMs);
}

async function checkIsEnabled(db: CatalogDb, delivery: Row<WebhookDeliveryTable>): Promise<void> {
  if (delivery.endpoint_id === null) return;
  const endpoint = await findEndpoint(db, delivery.endpoint_id);
  if (endpoint.enabled === 1) return;
  throw new ZoetropeError('conflict', `Endpoint ${endpoint.id} is disabled. Enable it, then deliver once more.`);
}

async function findEndpoint(db: CatalogDb, id: string): Promise<Row<WebhookEndpointTable>> {
  const row = await db.selectFrom('webhook_endpoint').selectAll().where('id', '=', id).executeTakeFirst();
  return found(row, 'webhook endpoint', id);
}

async function findDelivery(db: CatalogDb, id: string): Promise<Row<WebhookDeliveryTable>> {
  const row = await db.selectFrom('webhook_delivery').selectAll().where('id', '=', id).executeTakeFirst();
  return found(row, 'webhook delivery', id);
}
