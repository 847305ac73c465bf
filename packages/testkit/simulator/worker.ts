/** One of several processes that share the seeds; crew.ts starts it and adds up. */
import { work, type Work } from './crew.ts';

const task: Work = JSON.parse(process.argv[2] ?? '');
await work(task, (seed, outcome, cpuMs) => process.send?.({ seed, outcome, cpuMs }));
process.disconnect?.();
process.exit(0);
