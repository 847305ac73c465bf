/**
 * Who uses the data: a file beside them with the pid and the start of its owner. A kill -9 leaves the file behind but not
 * the owner, so the next start takes it over, and ends the server that the killed one left running.
 */
import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { commandOf, isAlive, startOf } from './processes.ts';
import { EmbeddedRefusal } from './refusal.ts';

/** Throws EmbeddedRefusal naming the owner when the data are in use. Answers how to give the lock back. */
export function takeLock(directory: string): () => void {
  const file = `${directory}.lock`;
  for (let attempt = 1; attempt <= 3; attempt += 1) {
    try {
      writeFileSync(file, `${process.pid} ${startOf(process.pid)}\n`, { flag: 'wx' });
      return () => rmSync(file, { force: true });
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'EEXIST')) throw error;
    }
    const owner = ownerOf(file);
    if (owner !== undefined) {
      throw new EmbeddedRefusal(
        `${dirname(directory)} is in use by another start (process ${owner}). Stop it first, or name another folder with TILLSTREAM_DATA.`,
      );
    }
    rmSync(file, { force: true });
  }
  throw new EmbeddedRefusal(
    `Another start of ${dirname(directory)} is under way. Wait for it, or name another folder with TILLSTREAM_DATA.`,
  );
}

function ownerOf(file: string): string | undefined {
  try {
    const [pid = '', start = ''] = readFileSync(file, 'utf8').trim().split(/ (.*)/);
    // Made a moment ago and not yet written to: its owner is starting right now. After a while, it died there.
    if (pid === '') return Date.now() - statSync(file).mtimeMs < 5_000 ? 'unknown' : undefined;
    return isAlive(Number(pid)) && startOf(Number(pid)) === start ? pid : undefined;
  } catch {
    return undefined;
  }
}

/** To be called with the lock held: then whatever runs on the data has lost its owner. */
export async function endLeftover(directory: string): Promise<void> {
  const file = join(directory, 'postmaster.pid');
  const pid = serverOf(file);
  if (pid === undefined) return;
  if (!isServerOn(pid, directory)) {
    // The pid belongs to another program by now, for which the server would take itself.
    if (isAlive(pid)) rmSync(file, { force: true });
    return;
  }
  // Fast first; immediate (repaired from the log at the next start) if a checkpoint takes too long.
  for (const [signal, patienceMs] of [
    ['SIGINT', 15_000],
    ['SIGQUIT', 5_000],
  ] as const) {
    signalTo(pid, signal);
    for (let waitedMs = 0; waitedMs < patienceMs; waitedMs += 50) {
      if (!isServerOn(pid, directory)) return;
      await new Promise((done) => setTimeout(done, 50));
    }
  }
  throw new EmbeddedRefusal(
    `A database left over from an earlier start (process ${pid}) does not end. End it and start again.`,
  );
}

function serverOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, 'utf8').split('\n')[0]);
    return Number.isInteger(pid) && pid > 1 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isServerOn(pid: number, directory: string): boolean {
  const command = commandOf(pid);
  return command.includes('postgres') && command.includes(` ${directory} `);
}

function signalTo(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in between.
  }
}
