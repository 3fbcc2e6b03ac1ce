import { open } from 'node:fs/promises';

/**
 * Makes the entries of directories durable. Calls for one directory that come while it is being synced share the next sync: a burst of
 * puts into one directory costs a few fsyncs, not one each.
 */
export class DirectorySync {
  readonly #running = new Map<string, { current: Promise<void>; next: Promise<void> | undefined }>();

  /** Resolves when everything that was in the directory at the time of the call is durable. */
  async sync(directory: string): Promise<void> {
    const running = this.#running.get(directory);
    if (running === undefined) return this.#begin(directory);
    // The sync under way may have started before the caller's rename.
    running.next ??= running.current.then(
      () => this.#begin(directory),
      () => this.#begin(directory),
    );
    return running.next;
  }

  #begin(directory: string): Promise<void> {
    const entry = { current: syncDirectory(directory), next: undefined as Promise<void> | undefined };
    this.#running.set(directory, entry);
    const forget = (): void => {
      if (this.#running.get(directory) === entry && entry.next === undefined) this.#running.delete(directory);
    };
    entry.current.then(forget, forget);
    return entry.current;
  }
}

async function syncDirectory(directory: string): Promise<void> {
  const handle = await open(directory, 'r');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}
