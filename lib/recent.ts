/** What was used last, by name, as much of it as is allowed. For what holds as long as its name does. */
export class Recent<Value> {
  readonly #bytesMax: number;
  readonly #kept = new Map<string, { value: Value; bytes: number }>();
  #bytes = 0;

  /** Of all values together; an estimate will do. */
  constructor(bytesMax: number) {
    this.#bytesMax = bytesMax;
  }

  find(name: string): Value | undefined {
    const kept = this.#kept.get(name);
    if (kept === undefined) return undefined;
    // To the end of those that are forgotten first.
    this.#kept.delete(name);
    this.#kept.set(name, kept);
    return kept.value;
  }

  add(name: string, value: Value, bytes: number): void {
    this.#remove(name);
    this.#kept.set(name, { value, bytes });
    this.#bytes += bytes;
    for (const oldest of this.#kept.keys()) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#remove(oldest);
    }
  }

  #remove(name: string): void {
    this.#bytes -= this.#kept.get(name)?.bytes ?? 0;
    this.#kept.delete(name);
  }
}
