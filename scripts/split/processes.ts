// The processes of the split form: started, started again when they die, waited for, ended.
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, mkdirSync, openSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Program {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly healthPort: number;
}

export interface RunningProcesses {
  /** Throws when one is not ready within a minute. */
  untilReady(): Promise<void>;
  stop(): Promise<void>;
}

const apps = join(import.meta.dirname, '../../apps');

/** Process ids are in <data>/processes.json, logs in <data>/logs. */
export function startProcesses(data: string, programs: readonly Program[]): RunningProcesses {
  mkdirSync(join(data, 'logs'), { recursive: true });
  const children = new Map<string, ChildProcess>();
  let isStopping = false;

  const launch = (program: Program): void => {
    // Asked to stop in the half second between an end and the next start.
    if (isStopping) return;
    const log = openSync(join(data, 'logs', `${program.name}.log`), 'a');
    const child = spawn(process.execPath, [join(apps, program.name, 'src/main.ts')], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...program.environment, HEALTH_PORT: String(program.healthPort) },
    });
    closeSync(log);
    children.set(program.name, child);
    const ids = Object.fromEntries([...children].map(([name, each]) => [name, each.pid]));
    writeFileSync(join(data, 'processes.json'), JSON.stringify(ids));
    // As a platform would.
    child.once('exit', () => {
      if (!isStopping) setTimeout(() => launch(program), 500);
    });
  };
  for (const program of programs) launch(program);

  return {
    async untilReady() {
      for (const { name, healthPort } of programs) await untilOk(name, `http://127.0.0.1:${healthPort}/readyz`, data);
    },
    async stop() {
      isStopping = true;
      // One that was killed has no exit code.
      const running = [...children.values()].filter((child) => child.exitCode === null && child.signalCode === null);
      const ended = running.map((child) => new Promise((done) => child.once('exit', done)));
      for (const child of running) child.kill('SIGTERM');
      await Promise.all(ended);
    },
  };
}

async function untilOk(name: string, url: string, data: string): Promise<void> {
  for (let tries = 0; tries < 600; tries += 1) {
    const isReady = await fetch(url).then(
      (answer) => answer.ok,
      () => false,
    );
    if (isReady) return;
    await new Promise((done) => setTimeout(done, 100));
  }
  throw new Error(`${name} is not ready; see ${join(data, 'logs', `${name}.log`)}`);
}
