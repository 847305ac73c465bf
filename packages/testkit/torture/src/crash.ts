/**
 * Loaded before a service's own program (`node --import`): counts the moments that it reaches and kills it, with SIGKILL and
 * at once, in the one that it was told. Orders come in the environment for the first start, then from the parent process.
 */
import { subscribe } from 'node:diagnostics_channel';
import { openSync, writeSync } from 'node:fs';
import { flushCompileCache } from 'node:module';
import process from 'node:process';
import { probeChannel } from '@tillstream/telemetry/probe';

/** Die in the first of these moments that comes, when it is the so-manyth from now. */
export interface CrashOrder {
  readonly moments: readonly string[];
  readonly hit: number;
}

const { TORTURE_COVERAGE: file = '/dev/null', TORTURE_ORDER: firstOrder = '' } = process.env;
const coverage = openSync(file, 'a');
const hits = new Map<string, number>();
let order: CrashOrder | undefined = firstOrder === '' ? undefined : JSON.parse(firstOrder);
let left = order?.hit ?? 0;

subscribe(probeChannel, (said) => {
  const moment = String(said);
  hits.set(moment, (hits.get(moment) ?? 0) + 1);
  if (order?.moments.includes(moment) !== true) return;
  left -= 1;
  if (left > 0) return;
  flush();
  writeSync(coverage, `killed\t1\t${moment}\n`);
  process.kill(process.pid, 'SIGKILL');
});

/** What was counted since the last line; a kill from outside loses at most half a second of it. */
function flush(): void {
  if (hits.size === 0) return;
  writeSync(coverage, [...hits].map(([moment, times]) => `hit\t${times}\t${moment}\n`).join(''));
  hits.clear();
}

setInterval(flush, 500).unref();
// What was compiled is kept at an orderly end, and there is seldom one here: without this each start would compile anew.
setTimeout(flushCompileCache, 3_000).unref();
process.on('exit', flush);
process.on('message', (told: CrashOrder) => {
  order = told;
  left = told.hit;
});
// The parent's line must not keep alive what wants to end.
process.channel?.unref();
