/** One of the product's programs as its own process: for tests that need another app's real behaviour over its real protocol. */
import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { freePort } from './ports.ts';

export interface RunningProgram {
  readonly port: number;
  /** What it printed. */
  output(): string;
  stop(): Promise<void>;
}

const apps = join(import.meta.dirname, '../../../apps');

/** Starts apps/<name> on a free HTTP port and waits until it answers /livez. */
export async function startProgram(
  name: string,
  environment: (port: number) => Readonly<Record<string, string>>,
): Promise<RunningProgram> {
  const port = await freePort();
  const child = spawn(process.execPath, [join(apps, name, 'src/main.ts')], {
    env: { ...process.env, HTTP_PORT: String(port), LOG_LEVEL: 'warn', ...environment(port) },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let printed = '';
  child.stdout.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  child.stderr.on('data', (chunk: Buffer) => (printed += chunk.toString()));
  const ended = new Promise<void>((resolve) => child.once('exit', () => resolve()));
  for (let tries = 0; ; tries += 1) {
    const isUp = await fetch(`http://127.0.0.1:${port}/livez`).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isUp) break;
    if (child.exitCode !== null || tries > 400) throw new Error(`${name} did not start:\n${printed}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  return {
    port,
    output: () => printed,
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}
