/** `high` tasks (a viewer waits for them) go before `normal` ones (a camera's backlog). */
export type Priority = 'high' | 'normal';

/** Of this many tasks in a row at most one less than all are `high` while `normal` ones wait, so that neither starves. */
const TURN = 8;

/** A bounded queue of two priorities, first in, first out within each. */
export class TaskQueue<T> {
  readonly #limit: number;
  readonly #queues: Readonly<Record<Priority, T[]>> = { high: [], normal: [] };
  #turn = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get length(): number {
    return this.#queues.high.length + this.#queues.normal.length;
  }

  /** Adds at the end; false when the queue is full. */
  offer(item: T, priority: Priority): boolean {
    if (this.length >= this.#limit) return false;
    this.#queues[priority].push(item);
    return true;
  }

  /** Puts a task that was taken back at the front, even when the queue is full: it was admitted before. */
  putBack(item: T, priority: Priority): void {
    this.#queues[priority].unshift(item);
  }

  take(): T | undefined {
    const { high, normal } = this.#queues;
    this.#turn = (this.#turn + 1) % TURN;
    const first = this.#turn === 0 ? normal : high;
    return first.shift() ?? (first === high ? normal : high).shift();
  }

  /** Takes one out wherever it stands; false when it is not here (any more). */
  remove(item: T): boolean {
    for (const queue of Object.values(this.#queues)) {
      const index = queue.indexOf(item);
      if (index !== -1) {
        queue.splice(index, 1);
        return true;
      }
    }
    return false;
  }

  /** Empties the queue. */
  drain(): readonly T[] {
    return [...this.#queues.high.splice(0), ...this.#queues.normal.splice(0)];
  }
}
