import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Pause } from './pause.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

/** How long a rest of 20 ms takes, and what it answers. */
async function rested(pause: Pause, afterFiveMs = () => {}): Promise<readonly [number, boolean]> {
  const before = performance.now();
  setTimeout(afterFiveMs, 5);
  const resting = pause.rest(20).then((isCut) => [performance.now() - before, isCut] as const);
  await vi.advanceTimersByTimeAsync(20);
  return resting;
}

test('it takes its time', async () => {
  expect(await rested(new Pause())).toEqual([20, false]);
});

test('it is cut short, or was before it began', async () => {
  const pause = new Pause();
  expect(await rested(pause, () => pause.cut())).toEqual([5, true]);
  const other = new Pause();
  other.cut();
  expect(await rested(other)).toEqual([0, true]);
});

test('in haste there is none, for a tenth of a second after the last who waited', async () => {
  const pause = new Pause();
  pause.haste();
  expect(await rested(pause)).toEqual([0, false]);
  await vi.advanceTimersByTimeAsync(60);
  expect(await rested(pause)).toEqual([0, false]);
  pause.haste();
  await vi.advanceTimersByTimeAsync(90);
  expect(await rested(pause)).toEqual([0, false]);
  expect(await rested(pause)).toEqual([20, false]);
});
