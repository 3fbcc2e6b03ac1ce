/** How many segments this process encodes at once, over all streams. Who finds none free is told of one, in the order of asking. */
export class Slots {
  #free: number;
  readonly #waiting = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  get free(): number {
    return this.#free;
  }

  /** Takes a slot; false: there is none, and `wake` is called once when there may be one. */
  tryTake(wake: () => void): boolean {
    if (this.#free > 0) {
      this.#free -= 1;
      this.#waiting.delete(wake);
      return true;
    }
    this.#waiting.add(wake);
    return false;
  }

  /** Gives a slot back. */
  give(): void {
    this.#free += 1;
    const [next] = this.#waiting;
    if (next === undefined) return;
    this.#waiting.delete(next);
    next();
  }

  /** Asks no more. */
  forget(wake: () => void): void {
    this.#waiting.delete(wake);
  }
}
