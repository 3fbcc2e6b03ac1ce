import { checkSteps } from './checks.ts';
import { runSteps } from './steps.ts';

const { passed, failed } = await runSteps(checkSteps());
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
