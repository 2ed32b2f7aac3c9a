/** Gathers what the kit tells with each of its tests, by kind. */
import type { Reporter, TestCase, TestModule } from 'vitest/node';
import type { Fidelity, KindResult } from '../../connectors/conformance/facts.ts';

export class ConformanceReporter implements Reporter {
  private readonly kinds = new Map<string, KindResult>();
  /** Files that failed outside of the kit's tests: they do not load, or their source cannot be prepared. */
  readonly broken: string[] = [];

  resultOf(kind: string): KindResult {
    const known = this.kinds.get(kind);
    if (known !== undefined) return known;
    const result: KindResult = { passed: 0, failed: 0, skipped: new Map(), failures: [] };
    this.kinds.set(kind, result);
    return result;
  }

  onTestCaseResult(test: TestCase): void {
    const fact = test.meta().conformance;
    if (fact === undefined) return;
    const kind = this.resultOf(fact.kind);
    const result = test.result();
    if (result.state === 'passed') {
      kind.passed++;
      if (fact.fidelity !== undefined) kind.fidelity = together(kind.fidelity, fact.fidelity);
    } else if (result.state === 'failed') {
      kind.failed++;
      kind.failures.push(`${test.name}: ${result.errors[0]?.message ?? 'no message'}`);
    } else if (result.state === 'skipped') {
      const reason = result.note ?? 'no reason given';
      kind.skipped.set(reason, [...(kind.skipped.get(reason) ?? []), test.name]);
    }
  }

  onTestModuleEnd(module: TestModule): void {
    const hooks = [...module.children.allSuites()].flatMap((suite) => suite.errors());
    for (const error of [...module.errors(), ...hooks])
      this.broken.push(`${module.relativeModuleId}: ${error.message}`);
  }
}

/** Of a kind with several suites (formats of files), in whatever order they end. */
function together(before: Fidelity | undefined, more: Fidelity): Fidelity {
  if (before === undefined) return more;
  const union = (a: string[], b: string[]) => [...new Set([...a, ...b])].sort();
  return {
    typed: union(before.typed, more.typed),
    asText: union(before.asText, more.asText),
    cells: before.cells + more.cells,
    equal: before.equal + more.equal,
    reported: before.reported + more.reported,
  };
}
