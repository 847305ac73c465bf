// Preloaded into a product that is profiled: SIGUSR2 begins a profile of its CPU, the next one writes it down.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector/promises';
import { join } from 'node:path';
import process from 'node:process';

const everyUs = 500;
const folder = process.env['PROFILE_FOLDER'] ?? '.';
let running: Session | undefined;

async function begin(): Promise<void> {
  running = new Session();
  running.connect();
  await running.post('Profiler.enable');
  await running.post('Profiler.setSamplingInterval', { interval: everyUs });
  await running.post('Profiler.start');
}

async function end(session: Session): Promise<void> {
  running = undefined;
  const { profile } = await session.post('Profiler.stop');
  session.disconnect();
  writeFileSync(join(folder, `${process.pid}.cpuprofile`), JSON.stringify(profile));
}

process.on('SIGUSR2', () => void (running === undefined ? begin() : end(running)));
