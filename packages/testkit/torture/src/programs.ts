/** The processes of the product under torture: started, killed, paused, told where to die, and started again as a platform would. */
import { spawn, type ChildProcess } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { CrashOrder } from './crash.ts';

export interface Program {
  readonly name: string;
  readonly environment: Readonly<Record<string, string>>;
  readonly healthPort: number;
  /** Where its very first start dies. */
  readonly firstOrder?: CrashOrder;
  /** Between its end and its next start. */
  readonly ended?: () => void;
}

export interface Ending {
  readonly name: string;
  readonly code: number | null;
  readonly signal: string | null;
  /** Since it was started. */
  readonly ranMs: number;
}

interface Running {
  readonly program: Program;
  child: ChildProcess;
  starts: number;
  isPaused: boolean;
}

const apps = join(import.meta.dirname, '../../../../apps');
const preload = join(import.meta.dirname, 'crash.ts');
const mutantLoader = join(import.meta.dirname, '../../mutants/load.ts');

export class Programs {
  readonly #data: string;
  readonly #random: () => number;
  readonly #mutant: string;
  readonly #running = new Map<string, Running>();
  readonly endings: Ending[] = [];
  /** From each start after the first to the first "ready"; those that were killed before are not in it. */
  readonly recoveriesMs: number[] = [];
  #isStopping = false;

  /** `mutant`: a bug that is put into every program that has its place; '' = none. */
  constructor(data: string, random: () => number, mutant = '') {
    this.#data = data;
    this.#random = random;
    this.#mutant = mutant;
    mkdirSync(join(data, 'logs'), { recursive: true });
    mkdirSync(join(data, 'coverage'), { recursive: true });
  }

  get names(): readonly string[] {
    return [...this.#running.keys()];
  }

  start(program: Program): void {
    this.#running.set(program.name, { program, child: this.#spawn(program, 1), starts: 1, isPaused: false });
  }

  #spawn(program: Program, starts: number): ChildProcess {
    const log = openSync(join(this.#data, 'logs', `${program.name}.log`), 'a');
    const order = starts === 1 && program.firstOrder !== undefined ? JSON.stringify(program.firstOrder) : '';
    const loaders = this.#mutant === '' ? [preload] : [preload, mutantLoader];
    const child = spawn(
      process.execPath,
      [...loaders.flatMap((each) => ['--import', each]), join(apps, program.name, 'src/main.ts')],
      {
        stdio: ['ignore', log, log, 'ipc'],
        env: {
          ...process.env,
          ...program.environment,
          NODE_ENV: 'production',
          HEALTH_PORT: String(program.healthPort),
          TORTURE_COVERAGE: this.#coverageFile(program.name),
          TORTURE_ORDER: order,
          TILL_MUTANT: this.#mutant,
        },
      },
    );
    closeSync(log);
    child.on('error', () => undefined);
    const startedAt = Date.now();
    child.once('exit', (code, signal) => {
      this.endings.push({ name: program.name, code, signal, ranMs: Date.now() - startedAt });
      if (this.#isStopping) return;
      // As a platform would, sometimes at once and sometimes after a while.
      setTimeout(() => this.#again(program.name), 100 + this.#random() * 2_400);
    });
    if (starts > 1) void this.#time(program.name, child, startedAt);
    return child;
  }

  #again(name: string): void {
    const running = this.#running.get(name);
    if (running === undefined || this.#isStopping) return;
    running.program.ended?.();
    running.starts += 1;
    running.isPaused = false;
    running.child = this.#spawn(running.program, running.starts);
  }

  async #time(name: string, child: ChildProcess, startedAt: number): Promise<void> {
    while (!this.#isStopping && isAlive(child)) {
      if (await this.isReady(name)) {
        if (isAlive(child)) this.recoveriesMs.push(Date.now() - startedAt);
        return;
      }
      await new Promise((resolve) => setTimeout(resolve, 250));
    }
  }

  /** False when it is not there to be killed. */
  kill(name: string, signal: 'SIGKILL' | 'SIGTERM' = 'SIGKILL'): boolean {
    return this.#running.get(name)?.child.kill(signal) === true;
  }

  pause(name: string): boolean {
    const running = this.#running.get(name);
    if (running === undefined) return false;
    running.isPaused = running.child.kill('SIGSTOP');
    return running.isPaused;
  }

  resume(name: string): void {
    const running = this.#running.get(name);
    running?.child.kill('SIGCONT');
    if (running !== undefined) running.isPaused = false;
  }

  isUp(name: string): boolean {
    const running = this.#running.get(name);
    return running !== undefined && isAlive(running.child) && !running.isPaused;
  }

  tell(name: string, order: CrashOrder): boolean {
    const child = this.#running.get(name)?.child;
    return child !== undefined && child.connected && child.send(order, () => undefined);
  }

  /** How often it was in each moment, and how often it died there. */
  coverage(name: string): ReadonlyMap<string, { hits: number; kills: number }> {
    const found = new Map<string, { hits: number; kills: number }>();
    const file = this.#coverageFile(name);
    if (!existsSync(file)) return found;
    for (const line of readFileSync(file, 'utf8').split('\n')) {
      const [what, times, moment] = line.split('\t');
      if (moment === undefined) continue;
      const counted = found.get(moment) ?? { hits: 0, kills: 0 };
      if (what === 'hit') counted.hits += Number(times);
      else counted.kills += 1;
      found.set(moment, counted);
    }
    return found;
  }

  /** In which it died last of those it was told of. */
  lastMoment(name: string): string {
    const lines = readFileSync(this.#coverageFile(name), 'utf8').split('\n');
    return lines.findLast((line) => line.startsWith('killed'))?.split('\t')[2] ?? '';
  }

  #coverageFile(name: string): string {
    return join(this.#data, 'coverage', name);
  }

  async isReady(name: string): Promise<boolean> {
    const port = this.#running.get(name)?.program.healthPort;
    return fetch(`http://127.0.0.1:${port}/readyz`, { signal: AbortSignal.timeout(2_000) }).then(
      (answer) => answer.ok,
      () => false,
    );
  }

  async stop(): Promise<void> {
    this.#isStopping = true;
    const children = [...this.#running.values()].map(({ child }) => child).filter(isAlive);
    const ended = Promise.all(children.map((child) => new Promise((resolve) => child.once('exit', resolve))));
    for (const child of children) {
      child.kill('SIGCONT');
      child.kill('SIGTERM');
    }
    const impatient = setTimeout(() => children.forEach((child) => child.kill('SIGKILL')), 20_000);
    await ended;
    clearTimeout(impatient);
  }
}

function isAlive(child: ChildProcess): boolean {
  return child.exitCode === null && child.signalCode === null;
}
