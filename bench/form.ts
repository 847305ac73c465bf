/** The product in either form, in processes of its own, on a data folder of its own. */
import { spawn } from 'node:child_process';
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export type FormName = 'standalone' | 'split' | 'floor';

export interface Form {
  readonly name: FormName;
  readonly pid: number;
  readonly data: string;
  readonly portBase: number;
  readonly gateway: string;
  readonly apiKey: string;
  /** From the spawn to the READY line, as somebody who waits sees it. */
  readonly readyMs: number;
  stop(): Promise<void>;
}

const root = join(import.meta.dirname, '..');
const programs: Record<FormName, string> = {
  standalone: 'apps/standalone/src/main.ts',
  split: 'scripts/split/start.ts',
  floor: 'bench/floor.ts',
};

/** Throws with what was printed when there is no READY line in time. */
export async function startForm(
  name: FormName,
  at: { data: string; portBase: number },
  options: { readonly nodeFlags?: readonly string[]; readonly environment?: Readonly<Record<string, string>> } = {},
): Promise<Form> {
  const startedAt = performance.now();
  const child = spawn(process.execPath, [...(options.nodeFlags ?? []), programs[name]], {
    cwd: root,
    env: {
      ...process.env,
      NODE_ENV: 'production',
      TILLSTREAM_DATA: at.data,
      PORT_BASE: String(at.portBase),
      // All our customers come from one address, which no shop's do.
      POSTS_PER_TEN_SECONDS: '0',
      // Of the form of one process; apart, the merchant service is there anyway.
      MERCHANT_RPC_PORT: String(at.portBase + 10),
      ...options.environment,
    },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  const ready = await new Promise<{ gateway: string; api_key: string }>((resolve, reject) => {
    const fail = (why: string) => {
      clearTimeout(timer);
      child.kill('SIGTERM');
      reject(new Error(`the ${name} form ${why}: ${printed.trim().slice(-1_500)}`));
    };
    const timer = setTimeout(() => fail('was not ready within 240 s'), 240_000);
    const onExit = () => fail('ended before it was ready');
    const read = (chunk: Buffer) => {
      printed += chunk.toString();
      const line = /^READY (\{.*\})$/m.exec(printed)?.[1];
      if (line === undefined) return;
      clearTimeout(timer);
      child.off('exit', onExit);
      resolve(JSON.parse(line));
    };
    child.once('exit', onExit);
    child.stdout.on('data', read);
    child.stderr.on('data', read);
  });
  return {
    name,
    ...at,
    pid: child.pid ?? 0,
    gateway: ready.gateway,
    apiKey: ready.api_key,
    readyMs: performance.now() - startedAt,
    stop: async () => {
      child.kill('SIGTERM');
      const impatient = setTimeout(() => child.kill('SIGKILL'), 30_000);
      await ended;
      clearTimeout(impatient);
    },
  };
}

/** mkdtemp makes folders of mode 700, which the database's own user could not pass through. */
export function makeFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tillstream-bench-'));
  chmodSync(folder, 0o755);
  return folder;
}

export function removeFolder(folder: string): void {
  rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
}
