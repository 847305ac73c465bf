/** Who a process is: /proc where there is one (slim images have no ps), else ps, else nothing is known. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';

export function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    // EPERM: it lives and is somebody else's.
    return error instanceof Error && 'code' in error && error.code === 'EPERM';
  }
}

/** When it started: with the pid it names one process for ever, as pids are used again. '' when not known. */
export function startOf(pid: number): string {
  return existsSync('/proc/self/stat')
    ? read(() => startIn(readFileSync(`/proc/${pid}/stat`, 'utf8')))
    : read(() => execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8' }).trim());
}

function startIn(stat: string): string | undefined {
  // The program's name, in brackets, may hold anything: what follows the last one counts.
  const words = stat.slice(stat.lastIndexOf(') ') + 2).split(' ');
  // A zombie is dead and only waits to be counted.
  return words[0] === 'Z' ? undefined : words[19];
}

export function commandOf(pid: number): string {
  return existsSync('/proc/self/cmdline')
    ? read(() => readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' '))
    : read(() => execFileSync('ps', ['-o', 'command=', '-p', String(pid)], { encoding: 'utf8' }));
}

function read(look: () => string | undefined): string {
  try {
    return look() ?? '';
  } catch {
    return '';
  }
}
