// Playwright's part of `npm test`.
import { relative } from 'node:path';
import { failure, writeReport } from './report.mjs';

export default class PlaywrightReport {
  #suite;
  #errors = [];

  onBegin(_config, suite) {
    this.#suite = suite;
  }

  onError(error) {
    this.#errors.push(error);
  }

  onEnd() {
    const tests = this.#suite?.allTests() ?? [];
    writeReport(process.env.SAMPAN_PLAYWRIGHT_REPORT, {
      passed: tests.filter((test) => ['expected', 'flaky'].includes(test.outcome())).length,
      failures: [
        ...tests
          .filter((test) => test.outcome() === 'unexpected')
          .map((test) => failure(nameOf(test), test.results.at(-1)?.errors ?? [])),
        ...this.#errors.map((error) => failure('an error outside of the tests', [error])),
      ],
    });
  }
}

function nameOf(test) {
  return `${relative(process.cwd(), test.location.file)} › ${test.titlePath().slice(3).join(' › ')}`;
}
