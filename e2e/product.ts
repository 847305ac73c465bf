/** Starts the product as an operator does, in a process of its own, and reads the READY line. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync, chmodSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { claimPorts } from '@tillstream/testkit/ports';

export type Form = 'standalone' | 'split';

export interface Ready {
  readonly gateway: string;
  readonly checkout: string;
  readonly console: string;
  readonly mail: string;
  readonly api_key: string;
  readonly took_ms: number;
}

export interface Product extends Ready {
  readonly form: Form;
  readonly portBase: number;
  readonly data: string;
  readonly pid: number;
  /** What it printed so far. */
  output(): string;
  /** Ctrl-C; resolves with the exit code. */
  stop(): Promise<number | null>;
  /** kill -9. */
  kill(): Promise<void>;
  /** Removes the data. */
  forget(): void;
}

const root = join(import.meta.dirname, '..');
const programs: Record<Form, string> = { standalone: 'apps/standalone/src/main.ts', split: 'scripts/split/start.ts' };

export async function startProduct(
  form: Form,
  options: { data?: string; portBase?: number; env?: Record<string, string>; withinMs?: number } = {},
): Promise<Product> {
  const data = options.data ?? makeDataFolder();
  const portBase = options.portBase ?? (await claimPorts());
  const child = spawn(process.execPath, [programs[form]], {
    cwd: root,
    env: { ...process.env, NODE_ENV: 'production', TILLSTREAM_DATA: data, PORT_BASE: String(portBase), ...options.env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<number | null>((resolve) => child.once('exit', (code) => resolve(code)));
  const ready = await readReady(child, () => printed, options.withinMs ?? 120_000);
  return {
    ...ready,
    form,
    portBase,
    data,
    pid: child.pid ?? 0,
    output: () => printed,
    stop: () => {
      child.kill('SIGINT');
      return ended;
    },
    kill: async () => {
      child.kill('SIGKILL');
      await ended;
    },
    forget: () => rmSync(data, { recursive: true, force: true, maxRetries: 5 }),
  };
}

/** Runs it where it is expected to refuse; resolves with what it said and its exit code. */
export async function expectRefusal(env: Record<string, string>): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, [programs.standalone], {
    cwd: root,
    env: { ...process.env, ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk: Buffer) => (output += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (output += chunk.toString()));
  const code = await new Promise<number | null>((resolve) => child.once('exit', resolve));
  return { code, output };
}

/** Where the database's user can reach: mkdtemp makes folders of mode 700. */
export function makeDataFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tillstream-'));
  chmodSync(folder, 0o755);
  return folder;
}

function readReady(child: ChildProcess, printed: () => string, withinMs: number): Promise<Ready> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => fail(`no READY line within ${withinMs} ms`), withinMs);
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGKILL');
      reject(new Error(`${why}:\n${printed().slice(-4000)}`));
    };
    const onExit = (code: number | null) => fail(`ended with ${code} before it was ready`);
    child.once('exit', onExit);
    child.stdout?.on('data', () => {
      const line = /^READY (\{.*\})$/m.exec(printed());
      if (line?.[1] === undefined) return;
      clearTimeout(timer);
      child.off('exit', onExit);
      const ready: Ready = JSON.parse(line[1]);
      resolve(ready);
    });
  });
}
