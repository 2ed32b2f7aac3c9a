/** What a process has opened, closed in reverse order; also where opening fails half-way. */
export class Resources {
  readonly #closers: (() => Promise<unknown>)[] = [];

  /** Keeps how to close it, and hands it back. */
  add<T>(resource: T, close: (resource: T) => Promise<unknown>): T {
    this.#closers.push(() => close(resource));
    return resource;
  }

  /** Closes all; the first failure is thrown when the others are closed too. */
  async close(): Promise<void> {
    const failures: unknown[] = [];
    for (const close of this.#closers.splice(0).reverse()) {
      await close().catch((e: unknown) => failures.push(e));
    }
    if (failures.length > 0) throw failures[0];
  }

  /** Runs `open`; where it fails, what it had opened is closed before the failure goes on. */
  static async opening<T>(open: (resources: Resources) => Promise<T>): Promise<T> {
    const resources = new Resources();
    try {
      return await open(resources);
    } catch (e: unknown) {
      // The failure to open tells more than one to close what depended on it.
      await resources.close().catch(() => {});
      throw e;
    }
  }
}
