import { ZoetropeError } from '../../base/errors.ts';
import type { AccessStore } from '../catalog.ts';
import type { SqlBackend } from './backend.ts';
import { found, toApiKey } from './rows.ts';

/** How long an answer is kept for its Idempotency-Key. */
const ANSWER_KEPT_MS = 24 * 3_600_000;
/** A request that has been under way for longer was cut off: its process died. It may be tried again. */
const UNDER_WAY_MS = 5 * 60_000;
/** Old answers removed with each new one; more than come in, so they never pile up. */
const TRIMMED_AT_ONCE = 20;

/** Makes the {@link AccessStore} of a SQL database. */
export function sqlAccessStore(backend: SqlBackend): AccessStore {
  return {
    createKey: (key, secretSha256) =>
      backend.write(async ({ db }) => {
        const row = {
          id: key.id,
          tenant: key.tenant,
          scopes: JSON.stringify(key.scopes),
          stream_id: key.streamId,
          name: key.name,
          secret_sha256: secretSha256,
          created_at_ms: backend.clock.nowMs(),
          revoked_at_ms: null,
        };
        try {
          await db.insertInto('api_key').values(row).execute();
        } catch (error) {
          if (!backend.isUniqueViolation(error)) throw error;
          throw new ZoetropeError(
            'conflict',
            `There is a key ${key.id}, or one with the same secret. Make a fresh one.`,
            {
              cause: error,
            },
          );
        }
        return toApiKey(row);
      }),

    async findKey(secretSha256) {
      const row = await backend
        .reader()
        .selectFrom('api_key')
        .selectAll()
        .where('secret_sha256', '=', secretSha256)
        .where('revoked_at_ms', 'is', null)
        .executeTakeFirst();
      return row === undefined ? null : toApiKey(row);
    },

    async listKeys() {
      const rows = await backend
        .reader()
        .selectFrom('api_key')
        .selectAll()
        .orderBy('created_at_ms')
        .orderBy('id')
        .execute();
      return rows.map(toApiKey);
    },

    revokeKey: (id) =>
      backend.write(async ({ db }) => {
        const row = found(
          await db.selectFrom('api_key').selectAll().where('id', '=', id).executeTakeFirst(),
          'key',
          id,
        );
        const revoked = { ...row, revoked_at_ms: row.revoked_at_ms ?? backend.clock.nowMs() };
        await db.updateTable('api_key').set({ revoked_at_ms: revoked.revoked_at_ms }).where('id', '=', id).execute();
        return toApiKey(revoked);
      }),

    async serverSecret(name, create) {
      const known = await backend
        .reader()
        .selectFrom('server_secret')
        .select('value')
        .where('name', '=', name)
        .executeTakeFirst();
      if (known !== undefined) return known.value;
      return backend.write(async ({ db }) => {
        await db
          .insertInto('server_secret')
          .values({ name, value: create() })
          .onConflict((conflict) => conflict.doNothing())
          .execute();
        const row = await db.selectFrom('server_secret').select('value').where('name', '=', name).executeTakeFirst();
        return found(row, 'secret', name).value;
      });
    },

    beginIdempotent: (scope, key, requestSha256) =>
      backend.write(async ({ db }) => {
        const nowMs = backend.clock.nowMs();
        const old = await db
          .selectFrom('idempotent_answer')
          .select(['scope', 'key'])
          .where('created_at_ms', '<', nowMs - ANSWER_KEPT_MS)
          .limit(TRIMMED_AT_ONCE)
          .execute();
        for (const row of old) {
          await db.deleteFrom('idempotent_answer').where('scope', '=', row.scope).where('key', '=', row.key).execute();
        }
        const row = await db
          .selectFrom('idempotent_answer')
          .selectAll()
          .where('scope', '=', scope)
          .where('key', '=', key)
          .executeTakeFirst();
        const isForgotten = row !== undefined && row.created_at_ms < nowMs - ANSWER_KEPT_MS;
        const isCutOff = row?.status === null && row.created_at_ms < nowMs - UNDER_WAY_MS;
        if (row === undefined || isForgotten || isCutOff) {
          const begun = { request_sha256: requestSha256, status: null, body: null, created_at_ms: nowMs };
          await db
            .insertInto('idempotent_answer')
            .values({ scope, key, ...begun })
            .onConflict((conflict) => conflict.columns(['scope', 'key']).doUpdateSet(begun))
            .execute();
          return null;
        }
        if (row.request_sha256 !== requestSha256) {
          throw new ZoetropeError(
            'conflict',
            `Idempotency-Key ${JSON.stringify(key)} was used for another request. Use a fresh key for each request.`,
          );
        }
        if (row.status === null) {
          throw new ZoetropeError(
            'conflict',
            `The request with Idempotency-Key ${JSON.stringify(key)} is still under way. Wait for its answer.`,
            { retryable: true },
          );
        }
        return { status: row.status, body: row.body ?? '' };
      }),

    endIdempotent: (scope, key, answer) =>
      backend.write(async ({ db }) => {
        if (answer === null) {
          await db
            .deleteFrom('idempotent_answer')
            .where('scope', '=', scope)
            .where('key', '=', key)
            .where('status', 'is', null)
            .execute();
          return;
        }
        await db
          .updateTable('idempotent_answer')
          .set({ status: answer.status, body: answer.body })
          .where('scope', '=', scope)
          .where('key', '=', key)
          .execute();
      }),
  };
}
