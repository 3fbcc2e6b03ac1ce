import assert from 'node:assert/strict';
import type { TestContext } from 'node:test';
import { type ErrorCode, isZoetropeError } from '../../src/base/errors.ts';
import type { EventLog, LoggedEvent, NewEvent, OwnedPartition } from '../../src/events/event-log.ts';

/** An event log under test. */
export interface EventsUnderTest {
  /** A member of the same cluster each time: what a second process would be. Not started. */
  open(): EventLog;
  /** Lets time pass for all of them. */
  pass(ms: number): Promise<void>;
  dispose(): Promise<void>;
}

/** What an adapter is made with for the suite. */
export interface EventsRequest {
  readonly partitions: number;
  readonly retentionMs: number;
}

/** How long the suite's topics keep their events. */
export const RETENTION_MS = 3_600_000;

/** Makes an empty log. */
export type MakeEvents = (request: EventsRequest) => Promise<EventsUnderTest>;

/** A cluster that is taken down after the test. */
export interface World extends EventsUnderTest {
  started(): Promise<EventLog>;
  until(condition: () => boolean | Promise<boolean>, what: string): Promise<void>;
}

/** Makes a world. */
export async function makeWorld(t: TestContext, make: MakeEvents, partitions = 4): Promise<World> {
  const made = await make({ partitions, retentionMs: RETENTION_MS });
  const logs: EventLog[] = [];
  t.after(async () => {
    await Promise.all(logs.map((log) => log.close()));
    await made.dispose();
  });
  return {
    open: () => made.open(),
    pass: (ms) => made.pass(ms),
    dispose: () => made.dispose(),
    async started() {
      const log = made.open();
      logs.push(log);
      await log.start(AbortSignal.timeout(30_000));
      return log;
    },
    async until(condition, what) {
      for (let round = 0; round < 600; round++) {
        if (await condition()) return;
        await made.pass(100);
      }
      assert.fail(`never happened: ${what}`);
    },
  };
}

/** Reads everything that its consumer is handed. */
export class Recorder {
  readonly events: LoggedEvent[] = [];
  readonly partitions = new Map<number, OwnedPartition>();

  options(topic: string, group: string): Parameters<EventLog['consume']>[0] {
    return {
      topic,
      group,
      onError: fail,
      onAssigned: async (partition) => {
        this.partitions.set(partition.partition, partition);
        for await (const batch of partition.read({ maxEvents: 7 })) {
          assert.ok(batch.length > 0 && batch.length <= 7);
          this.events.push(...batch);
        }
      },
    };
  }

  owned(partition: number): OwnedPartition {
    const owned = this.partitions.get(partition);
    assert.ok(owned !== undefined, `partition ${partition} was assigned`);
    return owned;
  }

  async commitAll(): Promise<void> {
    const last = new Map(this.events.map((event) => [event.partition, event.offset]));
    await Promise.all([...last].map(([partition, offset]) => this.owned(partition).commit(offset)));
  }

  assertOffsetsRise(): void {
    const last = new Map<number, number>();
    for (const { partition, offset } of this.events) {
      assert.ok(offset > (last.get(partition) ?? -1));
      last.set(partition, offset);
    }
  }
}

/** Counts who owns what, over several consumers. */
export class Census {
  readonly owners = new Map<number, object>();
  violations = 0;
  fencesFell = 0;
  readonly #fences = new Map<number, number>();

  options(topic: string, group: string): Parameters<EventLog['consume']>[0] {
    const who = {};
    return {
      topic,
      group,
      onError: fail,
      onAssigned: async ({ partition, fence, revoked }) => {
        if (this.owners.has(partition)) this.violations++;
        if (fence <= (this.#fences.get(partition) ?? -1)) this.fencesFell++;
        this.#fences.set(partition, fence);
        this.owners.set(partition, who);
        await aborted(revoked);
        this.owners.delete(partition);
      },
    };
  }

  isFair(members: number): boolean {
    const counts = new Map<object, number>();
    for (const who of this.owners.values()) counts.set(who, (counts.get(who) ?? 0) + 1);
    const share = Math.ceil(this.owners.size / members);
    return counts.size === members && [...counts.values()].every((count) => count <= share);
  }
}

/** Events of one key with rising values. */
export function numbered(key: string, count: number): NewEvent[] {
  return Array.from({ length: count }, (_, value) => ({ key, value }));
}

/** Resolves when a signal aborts. */
export function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}

/** Fails the test from a callback. */
export function fail(error: unknown): never {
  throw error;
}

/** Asserts that a promise fails with a code of the catalogue. */
export async function throwsCode(promise: Promise<unknown>, code: ErrorCode): Promise<void> {
  await assert.rejects(promise, (error) => isZoetropeError(error, code));
}
