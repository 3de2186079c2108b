// Vitest's part of `npm test`: its own JSON report keeps silent about errors outside of tests.
import { relative } from 'node:path';
import { failure, writeReport } from './report.mjs';

export default class VitestReport {
  /** @param {readonly import('vitest/node').TestModule[]} modules */
  onTestRunEnd(modules, errors) {
    const cases = modules.flatMap((module) => [...module.children.allTests()]);
    writeReport(process.env.SAMPAN_VITEST_REPORT, {
      passed: cases.filter((test) => test.result().state === 'passed').length,
      failures: [
        ...modules.flatMap(outsideOfTests),
        ...cases.flatMap((test) => {
          const { state, errors: reasons = [] } = test.result();
          return state === 'failed' ? [failure(`${fileOf(test.module)} › ${test.fullName}`, reasons)] : [];
        }),
        ...errors.map((error) => failure('an error outside of the tests', [error])),
      ],
    });
  }
}

/** Files that could not be read, and hooks that failed. */
function outsideOfTests(module) {
  return [module, ...module.children.allSuites()].flatMap((part) => {
    const errors = part.errors();
    return errors.length > 0 ? [failure(`${fileOf(module)} › ${part.fullName ?? 'the file'}`, errors)] : [];
  });
}

function fileOf({ moduleId }) {
  return relative(process.cwd(), moduleId);
}
