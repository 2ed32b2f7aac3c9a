/** One process of the exchange under test: supervised as in production, and ended by us without warning. */
import { join } from 'node:path';
import { type NodeProcess, startNodeProcess } from '../../runtime/node-process.ts';
import type { Supervisor } from '../../runtime/supervisor.ts';
import { until } from './clients.ts';

const RESTART_TIMEOUT_MS = 60_000;
const runtime = join(import.meta.dirname, '..', '..', 'runtime');

export interface MemberOptions {
  name: string;
  entry: 'server.ts' | 'worker.ts';
  logFile: string;
  environment: Record<string, string>;
}

export class Member {
  readonly name: string;
  readonly #options: MemberOptions;
  #running: NodeProcess | undefined;
  #starts = 0;

  constructor(options: MemberOptions) {
    this.name = options.name;
    this.#options = options;
  }

  get pid(): number {
    if (this.#running === undefined) throw new Error(`${this.name} was not started`);
    return this.#running.pid;
  }

  /** Under a supervisor, which starts it again whenever it ends. */
  async supervise(supervisor: Supervisor): Promise<void> {
    await supervisor.start(this.name, () => this.start());
  }

  async start(): Promise<NodeProcess> {
    const { entry, logFile, environment } = this.#options;
    this.#running = await startNodeProcess({ entry: join(runtime, entry), logFile, environment });
    this.#starts += 1;
    return this.#running;
  }

  stop(): Promise<void> {
    return this.#running?.stop() ?? Promise.resolve();
  }

  /** Suspends it, and gives what wakes it. Should we end first, it is woken to see that we are gone. */
  suspend(): () => void {
    const { pid } = this;
    process.kill(pid, 'SIGSTOP');
    const wake = () => {
      process.off('exit', wake);
      process.kill(pid, 'SIGCONT');
    };
    process.on('exit', wake);
    return wake;
  }

  /** SIGKILL: nothing of it runs another instruction. The promise is of its successor, which the supervisor starts. */
  kill(): Promise<unknown> {
    const before = this.#starts;
    process.kill(this.pid, 'SIGKILL');
    return until(`${this.name} is started again`, RESTART_TIMEOUT_MS, async () => this.#starts > before, 50);
  }
}
