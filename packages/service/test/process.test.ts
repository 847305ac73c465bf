import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, expect, test } from 'vitest';

const program = fileURLToPath(new URL('./program.ts', import.meta.url));
const running = new Set<ChildProcess>();
afterEach(() => {
  for (const child of running) child.kill('SIGKILL');
  running.clear();
});

interface Started {
  readonly child: ChildProcess;
  readonly ended: Promise<number | null>;
  readonly output: () => string;
  readonly line: (text: string) => Promise<string>;
}

function run(env: Record<string, string>, ...args: string[]): Started {
  const child = spawn(process.execPath, [program, ...args], { env: { PATH: process.env['PATH'] ?? '', ...env } });
  running.add(child);
  let text = '';
  const waiting: (() => void)[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk: Buffer) => {
      text += chunk.toString();
      for (const each of waiting.splice(0)) each();
    });
  }
  const ended = new Promise<number | null>((resolve) =>
    child.on('close', (code) => {
      resolve(code);
      for (const each of waiting.splice(0)) each();
    }),
  );
  return {
    child,
    ended,
    output: () => text,
    async line(wanted) {
      for (;;) {
        const found = text.split('\n').find((line) => line.includes(wanted));
        if (found !== undefined) return found;
        if (child.exitCode !== null) throw new Error(`it ended without saying ${wanted}: ${text}`);
        await new Promise<void>((resolve) => waiting.push(resolve));
      }
    },
  };
}

test('says every key that is missing or wrong at once, and no value', async () => {
  const { ended, output } = run({ RPC_PORT: '99999', API_SECRET: 'pw', LOG_LEVEL: 'chatty' });
  expect(await ended).toBe(2);
  expect(output()).toMatch(/GREETING: is not set — What is said\./);
  expect(output()).toMatch(/RPC_PORT: .+ — The port on which gRPC is answered/);
  expect(output()).toMatch(/API_SECRET: /);
  expect(output()).toMatch(/LOG_LEVEL: /);
  expect(output()).not.toContain('99999');
});

test('prints its configuration without the secrets, and takes them from files', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tillstream-secret-'));
  writeFileSync(join(folder, 'secret'), 'from-a-file\n');
  try {
    const { ended, output } = run(
      { GREETING: 'hi', API_SECRET_FILE: join(folder, 'secret'), DATABASE_URL: 'postgres://me:hidden@host/name' },
      '--print-config',
    );
    expect(await ended).toBe(0);
    expect(output()).toContain('GREETING=hi  # What is said.');
    expect(output()).toContain('API_SECRET=…');
    expect(output()).toContain('DATABASE_URL=postgres://me:…@host/name');
    expect(output()).not.toMatch(/from-a-file|hidden/);
    const unreadable = run({ GREETING: 'hi', API_SECRET_FILE: join(folder, 'nothing') });
    expect(await unreadable.ended).toBe(2);
    expect(unreadable.output()).toMatch(/API_SECRET: the file .+ cannot be read \(ENOENT\)/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('ends in order with 0 when it is asked to, and logs no secret', async () => {
  const started = run({ GREETING: 'hi', API_SECRET: 'canary-secret' });
  await started.line('"ready"');
  started.child.kill('SIGTERM');
  expect(await started.ended).toBe(0);
  expect(started.output()).toContain('the worker has ended');
  expect(started.output()).toContain('"stopped"');
  expect(started.output()).not.toContain('canary-secret');
});

test('ends with 1 and a line when something is thrown that nobody expected', async () => {
  const { ended, output } = run({ GREETING: 'hi', API_SECRET: 'abc', FAILS: 'true' });
  expect(await ended).toBe(1);
  expect(output()).toContain('nobody expected this');
});

test('ends with 1 when a part cannot be started', async () => {
  const { ended, output } = run({ GREETING: 'hi', API_SECRET: 'abc', RPC_TLS_CERT: 'only half of it' });
  expect(await ended).toBe(1);
  expect(output()).toContain('all three or none');
});
