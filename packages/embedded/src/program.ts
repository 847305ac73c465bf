/** Running PostgreSQL's programs as children that never outlive us. */
import { spawn } from 'node:child_process';
import { platform } from 'node:os';
import { join } from 'node:path';
import type { RunAs } from './folder.ts';

export interface Ended {
  readonly code: number | null;
  /** The last of what it said. */
  readonly said: string;
}

export interface RunningProgram {
  /** Resolves when it has said the text. */
  hears(text: string): Promise<undefined>;
  readonly ended: Promise<Ended>;
  /** An orderly end. */
  stop(): void;
  /** An immediate one. */
  quit(): void;
}

export interface ProgramOptions {
  readonly folder: string;
  readonly user: RunAs;
  readonly log: (line: string) => void;
}

// The shell waits for two things: the program's end, and the end of its own input, which is held by us. A kill -9 of us
// closes it as well, and the server shuts down in order instead of staying behind with nobody to use it.
const guard = `
  exec 3<&0
  "$@" </dev/null 3<&- &
  server=$!
  { read -r _ <&3; kill -INT "$server"; } >/dev/null 2>&1 &
  watch=$!
  wait "$server"
  code=$?
  kill "$watch" 2>/dev/null
  exit "$code"`;

export function runProgram(options: ProgramOptions, program: string, words: readonly string[]): RunningProgram {
  const command = [join(options.folder, program), ...words];
  const [file = '', ...rest] = platform() === 'win32' ? command : ['/bin/sh', '-c', guard, 'sh', ...command];
  const child = spawn(file, rest, {
    ...options.user,
    cwd: '/',
    // A session of its own: Ctrl-C in the terminal goes to us alone, and we stop the server when all else is done.
    detached: true,
    stdio: ['pipe', 'pipe', 'pipe'],
    env: { ...process.env, LC_ALL: 'C' },
  });
  let said = '';
  const listeners = new Set<() => void>();
  const hear = (chunk: string) => {
    said = (said + chunk).slice(-8_000);
    for (const line of chunk.split('\n')) if (line.trim() !== '') options.log(line.trim());
    for (const listener of listeners) listener();
  };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', hear);
  // It has ended before we let go of it.
  child.stdin.on('error', () => undefined);
  return {
    hears: (text) =>
      new Promise((resolve) => {
        const listener = () => said.includes(text) && resolve(undefined);
        listeners.add(listener);
        listener();
      }),
    ended: new Promise((resolve) => {
      child.on('error', (error) => resolve({ code: -1, said: `${said}\n${error.message}` }));
      child.on('close', (code) => resolve({ code, said }));
    }),
    stop: () => {
      if (platform() === 'win32') child.kill();
      child.stdin.end();
    },
    quit: () => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, 'SIGQUIT');
      } catch {
        // It ended in between.
      }
    },
  };
}
