/** Gathers what is wrong with a segment and can be survived: a line a kind, with its first case and how often it came. */
export class FaultLog {
  readonly #kinds = new Map<string, { readonly first: string; count: number }>();

  /** `kind` is one of a few names; `detail` says all in words. */
  note(kind: string, detail: string): void {
    const known = this.#kinds.get(kind);
    if (known === undefined) this.#kinds.set(kind, { first: detail, count: 1 });
    else known.count += 1;
  }

  /** In the order in which they first came. */
  lines(): readonly string[] {
    return [...this.#kinds.values()].map(({ first, count }) => (count === 1 ? first : `${first} (${count} times)`));
  }
}
