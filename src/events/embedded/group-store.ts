import type { DatabaseSync, StatementSync } from 'node:sqlite';
import type { ProcessIdentity } from './process-identity.ts';

/** A consumer in a group. */
export interface Member {
  readonly id: string;
  readonly identity: ProcessIdentity;
  readonly expiresAtMs: number;
}

/** Who owns a partition in a group, and how far the group has come. */
export interface Ownership {
  readonly partition: number;
  readonly memberId: string | null;
  readonly fence: number;
  readonly committed: number;
}

/** A group of consumers of a topic. */
export interface GroupKey {
  readonly topicId: number;
  readonly group: string;
}

/** The groups' tables: statements prepared once, synchronous. Writing methods belong in a transaction. */
export class GroupStore {
  readonly #addPartition: StatementSync;
  readonly #join: StatementSync;
  readonly #beat: StatementSync;
  readonly #remove: StatementSync;
  readonly #freeAllOf: StatementSync;
  readonly #members: StatementSync;
  readonly #ownerships: StatementSync;
  readonly #take: StatementSync;
  readonly #free: StatementSync;
  readonly #commit: StatementSync;

  constructor(database: DatabaseSync) {
    const where = 'where topic_id = ? and grp = ?';
    this.#addPartition = database.prepare('insert into ownership values (?, ?, ?, null, 0, -1) on conflict do nothing');
    this.#join = database.prepare('insert into member values (?, ?, ?, ?, ?, ?)');
    this.#beat = database.prepare('update member set expires_at_ms = ? where id = ?');
    this.#remove = database.prepare('delete from member where id = ?');
    this.#freeAllOf = database.prepare(`update ownership set member_id = null ${where} and member_id = ?`);
    this.#members = database.prepare(`select id, pid, started, expires_at_ms from member ${where} order by id`);
    this.#ownerships = database.prepare(
      `select partition, member_id, fence, committed from ownership ${where} order by partition`,
    );
    this.#take = database.prepare(
      `update ownership set member_id = ?, fence = fence + 1 ${where} and partition = ? and member_id is null returning fence, committed`,
    );
    this.#free = database.prepare(`update ownership set member_id = null ${where} and partition = ? and member_id = ?`);
    this.#commit = database.prepare(
      `update ownership set committed = max(committed, ?) ${where} and partition = ? and member_id = ? and fence = ?`,
    );
  }

  join({ topicId, group }: GroupKey, member: Member, partitions: number): void {
    for (let partition = 0; partition < partitions; partition++) this.#addPartition.run(topicId, group, partition);
    this.#join.run(member.id, topicId, group, member.identity.pid, member.identity.started, member.expiresAtMs);
  }

  /** Prolongs a membership. False when it was ended by others. */
  beat(memberId: string, expiresAtMs: number): boolean {
    return this.#beat.run(expiresAtMs, memberId).changes === 1;
  }

  /** Ends a membership; its partitions become free. */
  leave({ topicId, group }: GroupKey, memberId: string): void {
    this.#remove.run(memberId);
    this.#freeAllOf.run(topicId, group, memberId);
  }

  members({ topicId, group }: GroupKey): readonly Member[] {
    return this.#members.all(topicId, group).map((row) => ({
      id: String(row['id']),
      identity: { pid: Number(row['pid']), started: String(row['started']) },
      expiresAtMs: Number(row['expires_at_ms']),
    }));
  }

  ownerships({ topicId, group }: GroupKey): readonly Ownership[] {
    return this.#ownerships.all(topicId, group).map((row) => ({
      partition: Number(row['partition']),
      memberId: row['member_id'] === null ? null : String(row['member_id']),
      fence: Number(row['fence']),
      committed: Number(row['committed']),
    }));
  }

  /** Takes a free partition; null when somebody else has it. */
  take({ topicId, group }: GroupKey, partition: number, memberId: string): Ownership | null {
    const row = this.#take.get(memberId, topicId, group, partition);
    if (row === undefined) return null;
    return { partition, memberId, fence: Number(row['fence']), committed: Number(row['committed']) };
  }

  free({ topicId, group }: GroupKey, partition: number, memberId: string): void {
    this.#free.run(topicId, group, partition, memberId);
  }

  /** False when the partition has another owner, or the same one anew. */
  commit({ topicId, group }: GroupKey, owned: Ownership, offset: number): boolean {
    return this.#commit.run(offset, topicId, group, owned.partition, owned.memberId, owned.fence).changes === 1;
  }
}
