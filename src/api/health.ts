import type { Clock } from '../base/clock.ts';
import { messageOf, ZoetropeError } from '../base/errors.ts';

/** One thing that must be so for the server to be well. */
export interface HealthCheck {
  readonly name: string;
  /** `live`: the process is of no use without it and should be restarted. `ready`: it should get no work until it is so. */
  readonly kind: 'live' | 'ready';
  /** Answers a detail for people. @throws when it is not so, with the reason. */
  run(signal: AbortSignal): Promise<string>;
}

/** What came of the checks. */
export interface HealthReport {
  readonly status: 'ok' | 'failing';
  readonly checks: Readonly<Record<string, { readonly ok: boolean; readonly detail: string }>>;
}

/** Runs health checks under a deadline; whoever asks within a second of another gets the same answer, so that asking costs little. */
export class Health {
  readonly #checks: readonly HealthCheck[];
  readonly #clock: Clock;
  readonly #timeoutMs: number;
  readonly #answers = new Map<
    HealthCheck['kind'],
    { readonly askedAtMs: number; readonly report: Promise<HealthReport> }
  >();

  constructor(deps: { readonly checks: readonly HealthCheck[]; readonly clock: Clock; readonly timeoutMs?: number }) {
    this.#checks = deps.checks;
    this.#clock = deps.clock;
    this.#timeoutMs = deps.timeoutMs ?? 2000;
  }

  /** Whether the process is alive. */
  live(): Promise<HealthReport> {
    return this.#report('live');
  }

  /** Whether it should get work. */
  ready(): Promise<HealthReport> {
    return this.#report('ready');
  }

  #report(kind: HealthCheck['kind']): Promise<HealthReport> {
    const last = this.#answers.get(kind);
    const nowMs = this.#clock.monotonicMs();
    if (last !== undefined && nowMs - last.askedAtMs < 1000) return last.report;
    const report = this.#runAll(this.#checks.filter((check) => check.kind === kind));
    this.#answers.set(kind, { askedAtMs: nowMs, report });
    return report;
  }

  async #runAll(checks: readonly HealthCheck[]): Promise<HealthReport> {
    const results = await Promise.all(checks.map((check) => this.#runOne(check)));
    return {
      status: results.every((result) => result.ok) ? 'ok' : 'failing',
      checks: Object.fromEntries(checks.map((check, index) => [check.name, results[index] ?? NEVER_RUN])),
    };
  }

  async #runOne(check: HealthCheck): Promise<{ ok: boolean; detail: string }> {
    const abort = new AbortController();
    const tooLate = new ZoetropeError('deadline_exceeded', `No answer within ${this.#timeoutMs} ms.`);
    const timer = this.#clock.schedule(this.#timeoutMs, () => abort.abort(tooLate));
    const late = new Promise<never>((_, reject) => {
      abort.signal.addEventListener('abort', () => reject(tooLate), { once: true });
    });
    try {
      return { ok: true, detail: await Promise.race([check.run(abort.signal), late]) };
    } catch (error) {
      return { ok: false, detail: messageOf(error) };
    } finally {
      timer.cancel();
    }
  }
}

const NEVER_RUN = { ok: false, detail: 'It was not run.' };
