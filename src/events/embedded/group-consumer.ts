import { randomUUID } from 'node:crypto';
import type { Clock, Timer } from '../../base/clock.ts';
import type { TransactionQueue } from '../../base/transaction-queue.ts';
import type { Consumer, ConsumeOptions } from '../event-log.ts';
import type { GroupKey, GroupStore, Member, Ownership } from './group-store.ts';
import { PartitionReader, type PartitionSource } from './partition-reader.ts';
import { hasEnded, ownIdentity } from './process-identity.ts';

/** How long a silent member keeps its partitions when it cannot be seen whether its process lives. */
const LEASE_MS = 10_000;
const HEARTBEAT_MS = 3_000;
/** How often a consumer looks for members whose process has ended. */
const LOOK_MS = 500;
const FIRST_BACK_OFF_MS = 1_000;
const LAST_BACK_OFF_MS = 30_000;

/** What a consumer needs of its log. */
export interface GroupConsumerDeps {
  readonly groups: GroupStore;
  readonly writer: TransactionQueue;
  readonly clock: Clock;
  readonly source: PartitionSource;
  readonly key: GroupKey;
  readonly partitions: number;
  /** Told when this consumer changed who owns what, for the others in this process. */
  readonly onMoved: () => void;
}

interface Owned {
  readonly reader: PartitionReader;
  readonly ended: Promise<void>;
}

interface BackOff {
  readonly delayMs: number;
  readonly untilMs: number;
}

/**
 * One membership in a group. It looks at the group's rows, takes what is free up to its fair share, and gives up what is beyond it; what the
 * rows say and what runs here are brought together on each look, so that a failed write only delays.
 */
export class GroupConsumer implements Consumer {
  readonly #deps: GroupConsumerDeps;
  readonly #options: ConsumeOptions;
  readonly #owned = new Map<number, Owned>();
  readonly #backOffs = new Map<number, BackOff>();
  #memberId = '';
  #beatAtMs = 0;
  #timer: Timer | undefined;
  #looking: Promise<void> | undefined;
  #lookAgain = false;
  #closing: Promise<void> | undefined;

  constructor(deps: GroupConsumerDeps, options: ConsumeOptions) {
    this.#deps = deps;
    this.#options = options;
  }

  async join(): Promise<void> {
    const { groups, writer, key, partitions, clock } = this.#deps;
    const member = { id: randomUUID(), identity: ownIdentity(), expiresAtMs: this.#leaseEndMs() };
    await writer.run(() => groups.join(key, member, partitions));
    this.#memberId = member.id;
    this.#beatAtMs = clock.monotonicMs();
    this.look();
  }

  /** Looks at the group now; many calls make one or two looks. */
  look(): void {
    if (this.#closing !== undefined) return;
    if (this.#looking !== undefined) {
      this.#lookAgain = true;
      return;
    }
    this.#looking = this.#lookAround().finally(() => {
      this.#looking = undefined;
      if (this.#closing !== undefined) return;
      this.#timer?.cancel();
      this.#timer = this.#deps.clock.schedule(LOOK_MS, () => this.look());
      if (!this.#lookAgain) return;
      this.#lookAgain = false;
      this.look();
    });
  }

  close(): Promise<void> {
    this.#closing ??= this.#leave();
    return this.#closing;
  }

  async #leave(): Promise<void> {
    this.#timer?.cancel();
    await this.#looking;
    const owned = [...this.#owned.values()];
    for (const { reader } of owned) reader.revoke();
    await Promise.all(owned.map(({ ended }) => ended));
    this.#owned.clear();
    try {
      await this.#deps.writer.run(() => this.#deps.groups.leave(this.#deps.key, this.#memberId));
    } catch (error) {
      this.#options.onError(error); // The lease runs out by itself.
    }
    this.#deps.onMoved();
  }

  async #lookAround(): Promise<void> {
    const { groups, writer, key, clock } = this.#deps;
    try {
      const isBeatDue = clock.monotonicMs() - this.#beatAtMs >= HEARTBEAT_MS;
      const plan = this.#plan(groups.members(key), groups.ownerships(key));
      if (!isBeatDue && plan.isSettled) return this.#stopLost(plan.lost);
      const outcome = await writer.run(() => this.#settle());
      this.#stopLost(outcome.lost);
      for (const ownership of outcome.taken) this.#serve(ownership);
      for (const partition of outcome.surplus) this.#owned.get(partition)?.reader.revoke();
      if (outcome.hasMoved) this.#deps.onMoved();
    } catch (error) {
      this.#options.onError(error);
    }
  }

  /** In a transaction: renews the membership and makes the rows fit what runs here. */
  #settle(): { taken: Ownership[]; lost: readonly number[]; surplus: readonly number[]; hasMoved: boolean } {
    const { groups, key, partitions, clock } = this.#deps;
    const plan = this.#plan(groups.members(key), groups.ownerships(key));
    for (const member of plan.dead) groups.leave(key, member.id);
    this.#beatAtMs = clock.monotonicMs();
    if (!groups.beat(this.#memberId, this.#leaseEndMs())) {
      // Others ended this membership, as after a long sleep of the machine: begin a new one.
      this.#memberId = randomUUID();
      groups.join(key, { id: this.#memberId, identity: ownIdentity(), expiresAtMs: this.#leaseEndMs() }, partitions);
    }
    for (const partition of plan.abandoned) groups.free(key, partition, this.#memberId);
    const taken = plan.takeable.map((partition) => groups.take(key, partition, this.#memberId));
    return {
      taken: taken.filter((ownership) => ownership !== null),
      lost: plan.lost,
      surplus: plan.surplus,
      hasMoved: plan.dead.length + plan.abandoned.length + plan.takeable.length > 0,
    };
  }

  #plan(members: readonly Member[], ownerships: readonly Ownership[]): Plan {
    const nowMs = this.#deps.clock.nowMs();
    const dead = members.filter(
      (member) => member.id !== this.#memberId && (member.expiresAtMs <= nowMs || hasEnded(member.identity)),
    );
    const isMember = members.some(({ id }) => id === this.#memberId);
    const gone = new Set([...dead.map(({ id }) => id), ...(isMember ? [] : [this.#memberId])]);
    const live = members.length - dead.length + (isMember ? 0 : 1);
    const share = Math.ceil(this.#deps.partitions / live);
    const mine = ownerships.filter(({ memberId }) => memberId === this.#memberId && isMember);
    const kept = mine.filter((row) => this.#owned.get(row.partition)?.reader.fence === row.fence);
    const keptPartitions = new Set(kept.map(({ partition }) => partition));
    const knownMembers = new Set(members.map(({ id }) => id));
    const free = ownerships.filter(
      ({ partition, memberId }) =>
        (memberId === null || gone.has(memberId) || !knownMembers.has(memberId)) &&
        !this.#owned.has(partition) &&
        (this.#backOffs.get(partition)?.untilMs ?? 0) <= this.#deps.clock.monotonicMs(),
    );
    const takeable = free.slice(0, Math.max(0, share - kept.length)).map(({ partition }) => partition);
    const abandoned = mine.filter((row) => !this.#owned.has(row.partition)).map(({ partition }) => partition);
    const lost = [...this.#owned.keys()].filter((partition) => !keptPartitions.has(partition));
    const surplus = kept
      .slice(share)
      .filter(({ partition }) => this.#owned.get(partition)?.reader.revoked.aborted === false)
      .map(({ partition }) => partition);
    const changes = dead.length + takeable.length + abandoned.length + surplus.length;
    return { dead, takeable, abandoned, lost, surplus, isSettled: isMember && changes === 0 };
  }

  #stopLost(lost: readonly number[]): void {
    for (const partition of lost) this.#owned.get(partition)?.reader.revoke();
  }

  #serve(ownership: Ownership): void {
    const reader = new PartitionReader(this.#deps.source, ownership);
    const startedAtMs = this.#deps.clock.monotonicMs();
    const ended = this.#run(reader).then((failed) => {
      this.#owned.delete(ownership.partition);
      const ranLong = this.#deps.clock.monotonicMs() - startedAtMs >= LAST_BACK_OFF_MS;
      if (failed) this.#backOff(ownership.partition, ranLong);
      else this.#backOffs.delete(ownership.partition);
      this.look();
    });
    this.#owned.set(ownership.partition, { reader, ended });
  }

  /** Runs the handler to its end. Answers whether it ended without being asked to. */
  async #run(reader: PartitionReader): Promise<boolean> {
    try {
      await this.#options.onAssigned(reader);
    } catch (error) {
      if (!reader.revoked.aborted) this.#options.onError(error);
    }
    const isFailed = !reader.revoked.aborted;
    reader.revoke();
    return isFailed;
  }

  #backOff(partition: number, anew: boolean): void {
    const last = anew ? undefined : this.#backOffs.get(partition);
    const delayMs = last === undefined ? FIRST_BACK_OFF_MS : Math.min(LAST_BACK_OFF_MS, last.delayMs * 2);
    this.#backOffs.set(partition, { delayMs, untilMs: this.#deps.clock.monotonicMs() + delayMs });
  }

  #leaseEndMs(): number {
    return Math.round(this.#deps.clock.nowMs()) + LEASE_MS;
  }
}

interface Plan {
  /** Members that are no more. */
  readonly dead: readonly Member[];
  /** Partitions to take. */
  readonly takeable: readonly number[];
  /** Partitions that the rows say are ours and that nothing here serves any more. */
  readonly abandoned: readonly number[];
  /** Partitions that are served here and that the rows say are not ours. */
  readonly lost: readonly number[];
  /** Partitions beyond the fair share. */
  readonly surplus: readonly number[];
  /** Nothing is to be written. */
  readonly isSettled: boolean;
}
