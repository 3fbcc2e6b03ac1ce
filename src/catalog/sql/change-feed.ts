import type { Logger } from '../../base/logger.ts';
import { messageOf } from '../../base/errors.ts';
import { isId } from '../../base/ids.ts';
import type { AppendedSegment, CatalogChange } from '../catalog.ts';
import { prepare } from './prepared.ts';
import type { CatalogDb } from './schema.ts';

const readRevision = prepare<object, { revision: number }>((db) =>
  db.selectFrom('feed').select('revision').where('id', '=', 1),
);
const lockRevision = prepare<object, { revision: number }>((db) =>
  db.selectFrom('feed').select('revision').where('id', '=', 1).forUpdate(),
);
const writeRevision = prepare<{ revision: number }>((db, param) =>
  db
    .updateTable('feed')
    .set({ revision: param('revision') })
    .where('id', '=', 1),
);
const stampStream = prepare<{ id: string; revision: number }>((db, param) =>
  db
    .updateTable('stream')
    .set({ revision: param('revision') })
    .where('id', '=', param('id')),
);

const stampEdge = prepare<{ id: string; revision: number }>((db, param) =>
  db
    .updateTable('edge')
    .set({ revision: param('revision') })
    .where('id', '=', param('id')),
);

/** How long a deleted stream is remembered for processes that have it cached; they look several times a second. */
const TOMBSTONE_KEPT_MS = 3_600_000;

/** What one call, or one transaction, changed. */
export class ChangeSet {
  readonly streamIds = new Set<string>();
  readonly removedIds = new Set<string>();
  /** Those to which something else happened than appends. */
  readonly #otherwiseIds = new Set<string>();
  readonly #appended: AppendedSegment[] = [];

  /** What was appended to streams to which nothing else happened. */
  get appended(): readonly AppendedSegment[] {
    return this.#appended.filter(({ segment }) => !this.#otherwiseIds.has(segment.streamId));
  }

  changed(streamId: string, appended: AppendedSegment | undefined): void {
    this.streamIds.add(streamId);
    if (appended === undefined) this.#otherwiseIds.add(streamId);
    else this.#appended.push(appended);
  }

  removed(streamId: string): void {
    this.streamIds.delete(streamId);
    this.removedIds.add(streamId);
    this.#otherwiseIds.add(streamId);
  }

  absorb(other: ChangeSet): void {
    for (const id of other.streamIds) this.streamIds.add(id);
    for (const id of other.removedIds) this.removedIds.add(id);
    for (const id of other.#otherwiseIds) this.#otherwiseIds.add(id);
    this.#appended.push(...other.#appended);
  }
}

/**
 * The change feed: one revision for the whole catalog, written to each changed stream in the changing transaction. Since the feed's row is
 * read first in each of our transactions, whatever lies above the revision that we know is another process's.
 */
export class ChangeFeed {
  readonly #logger: Logger;
  readonly #readRevision: typeof readRevision;
  readonly #listeners = new Set<(change: CatalogChange) => void>();
  /** Everything up to here has been told. */
  #knownRevision = 0;
  /** As the running transaction found it. */
  #storedRevision = 0;
  #revision = 0;
  #remote: readonly string[] = [];
  #local = new ChangeSet();

  /** `locksRow`: reading the feed's row in a transaction must keep others from doing so until its end; for databases that let several write at a time. */
  constructor(logger: Logger, options: { readonly locksRow: boolean }) {
    this.#logger = logger;
    this.#readRevision = options.locksRow ? lockRevision : readRevision;
  }

  /** Whether anything was changed that has not been told yet. */
  async isBehind(db: CatalogDb): Promise<boolean> {
    return ((await readRevision(db, {}))[0]?.revision ?? 0) > this.#knownRevision;
  }

  /** Begins to watch from the present state. */
  async start(db: CatalogDb): Promise<void> {
    this.#knownRevision = (await readRevision(db, {}))[0]?.revision ?? 0;
  }

  onChange(listener: (change: CatalogChange) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** First in a transaction: notes what other processes changed since we last looked. */
  async begin(db: CatalogDb): Promise<void> {
    this.#storedRevision = (await this.#readRevision(db, {}))[0]?.revision ?? 0;
    this.#revision = this.#storedRevision;
    this.#local = new ChangeSet();
    this.#remote = this.#storedRevision > this.#knownRevision ? await changedSince(db, this.#knownRevision) : [];
  }

  /** A fresh revision in the running transaction. */
  next(): number {
    this.#revision += 1;
    return this.#revision;
  }

  /** Takes over what a call that succeeded has changed. */
  absorb(changes: ChangeSet): void {
    this.#local.absorb(changes);
  }

  /** Last in a transaction: writes the revision, once for each stream. Answers whether there was anything to be written. */
  async end(db: CatalogDb, nowMs: number): Promise<boolean> {
    const { streamIds, removedIds } = this.#local;
    if (streamIds.size + removedIds.size === 0) return false;
    const revision = this.next();
    for (const id of streamIds) await (isId('edge', id) ? stampEdge : stampStream)(db, { id, revision });
    for (const id of removedIds) {
      const row = { revision, removed_at_ms: nowMs };
      await db
        .insertInto('removed_stream')
        .values({ stream_id: id, ...row })
        .onConflict((conflict) => conflict.column('stream_id').doUpdateSet(row))
        .execute();
    }
    if (removedIds.size > 0) {
      await db
        .deleteFrom('removed_stream')
        .where('removed_at_ms', '<', nowMs - TOMBSTONE_KEPT_MS)
        .execute();
    }
    await writeRevision(db, { revision });
    return true;
  }

  /** After the commit. */
  committed(): void {
    const { streamIds, removedIds, appended } = this.#local;
    const hasLocal = streamIds.size + removedIds.size > 0;
    // Revisions that calls drew and did not use are not written, and are drawn again.
    this.#knownRevision = hasLocal ? this.#revision : this.#storedRevision;
    const remote = this.#remote;
    this.#forget();
    if (remote.length > 0) this.#tell({ streamIds: remote, remote: true, appended: [] });
    if (hasLocal) this.#tell({ streamIds: [...new Set([...streamIds, ...removedIds])], remote: false, appended });
  }

  /** After a transaction that failed: nothing of ours happened; what others did is found again by the next look. */
  failed(): void {
    this.#forget();
  }

  #forget(): void {
    this.#remote = [];
    this.#local = new ChangeSet();
  }

  #tell(change: CatalogChange): void {
    for (const listener of this.#listeners) {
      try {
        listener(change);
      } catch (error) {
        this.#logger.error({ error: messageOf(error) }, 'a listener to catalog changes failed');
      }
    }
  }
}

async function changedSince(db: CatalogDb, revision: number): Promise<readonly string[]> {
  const changed = await db.selectFrom('stream').select('id').where('revision', '>', revision).execute();
  const removed = await db.selectFrom('removed_stream').select('stream_id').where('revision', '>', revision).execute();
  const edges = await db.selectFrom('edge').select('id').where('revision', '>', revision).execute();
  return [...changed.map(({ id }) => id), ...edges.map(({ id }) => id), ...removed.map(({ stream_id }) => stream_id)];
}
