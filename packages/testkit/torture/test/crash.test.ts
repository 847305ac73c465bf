import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';

const preload = join(import.meta.dirname, '../src/crash.ts');
const probe = join(import.meta.dirname, '../../../telemetry/src/probe.ts');

/** A program that passes two moments three times over, with the crash module before it. */
async function live(order: string): Promise<{ signal: string | null; printed: string; coverage: string }> {
  const folder = mkdtempSync(join(tmpdir(), 'tillstream-crash-'));
  const coverage = join(folder, 'coverage');
  const program = `
    import { probe } from ${JSON.stringify(probe)};
    for (let round = 1; round <= 3; round += 1) {
      probe('relay read');
      process.stdout.write(String(round));
      probe('relay published');
    }`;
  try {
    const child = spawn(process.execPath, ['--import', preload, '--input-type=module', '-e', program], {
      env: { ...process.env, TORTURE_COVERAGE: coverage, TORTURE_ORDER: order },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    let printed = '';
    child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    const signal = await new Promise<string | null>((resolve) => child.once('close', (_, by) => resolve(by)));
    return { signal, printed, coverage: readFileSync(coverage, 'utf8') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

test('a process dies in the moment that it was told, the so-manyth time, and not an instruction later', async () => {
  const { signal, printed, coverage } = await live('{"moments":["relay published","never"],"hit":2}');
  expect(signal).toBe('SIGKILL');
  expect(printed).toBe('12');
  expect(coverage).toBe('hit\t2\trelay read\nhit\t2\trelay published\nkilled\t1\trelay published\n');
});

test('of several moments it dies in the first that comes', async () => {
  const { coverage } = await live('{"moments":["relay published","relay read"],"hit":3}');
  expect(coverage).toBe('hit\t2\trelay read\nhit\t1\trelay published\nkilled\t1\trelay read\n');
});

test('without an order it lives, and what it passed is counted', async () => {
  const { signal, printed, coverage } = await live('');
  expect(signal).toBeNull();
  expect(printed).toBe('123');
  expect(coverage).toBe('hit\t3\trelay read\nhit\t3\trelay published\n');
});
