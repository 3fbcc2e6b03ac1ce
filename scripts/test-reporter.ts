import { AssertionError } from 'node:assert';
import { inspect } from 'node:util';
import type { TestEvent } from 'node:test/reporters';

/** One finished test as the runner reads it: a line of JSON. */
export interface TestLine {
  readonly name: string;
  readonly nesting: number;
  readonly outcome: 'passed' | 'failed' | 'skipped' | 'todo';
  readonly isSuite: boolean;
  readonly durationMs: number;
  /** Why it failed or was skipped. */
  readonly reason: string | null;
}

/** What node:test itself says at the end of a file. */
const SUMMARY = /^(tests|suites|pass|fail|cancelled|skipped|todo|duration_ms) \d/;

/** What a test says about itself: a line of JSON. */
export interface DiagnosticLine {
  readonly diagnostic: string;
}

/** A node:test reporter that writes a {@link TestLine} for each finished test and a {@link DiagnosticLine} for each word of a test, for scripts/test-runner.ts. */
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  for await (const event of events) {
    if (event.type === 'test:diagnostic' && !SUMMARY.test(event.data.message)) {
      const line: DiagnosticLine = { diagnostic: event.data.message };
      yield `${JSON.stringify(line)}\n`;
    }
    if (event.type !== 'test:pass' && event.type !== 'test:fail') continue;
    const { data } = event;
    const isSuite = data.details.type === 'suite';
    const line: TestLine = {
      name: data.name,
      nesting: data.nesting,
      isSuite,
      durationMs: data.details.duration_ms,
      ...outcomeOf(event),
    };
    yield `${JSON.stringify(line)}\n`;
  }
}

function outcomeOf(
  event: Extract<TestEvent, { type: 'test:pass' | 'test:fail' }>,
): Pick<TestLine, 'outcome' | 'reason'> {
  const { data } = event;
  if (data.skip !== undefined && data.skip !== false) return { outcome: 'skipped', reason: String(data.skip) };
  if (data.todo !== undefined && data.todo !== false) return { outcome: 'todo', reason: String(data.todo) };
  if (event.type === 'test:pass') return { outcome: 'passed', reason: null };
  const { error } = event.data.details;
  return { outcome: 'failed', reason: reasonOf(error.cause ?? error) };
}

/** A message that a test wrote itself says all; anything else is shown whole. */
function reasonOf(cause: unknown): string {
  if (typeof cause === 'string') return cause;
  const isOwnMessage = cause instanceof AssertionError && !cause.generatedMessage && cause.operator === '==';
  return isOwnMessage ? cause.message : inspect(cause, { depth: 6, breakLength: 120 });
}
