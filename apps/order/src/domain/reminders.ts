/** Reminders of unpaid orders (P8, R23). Off unless the merchant wants them. */
import type { Placed } from './placed.ts';

// A host that slept for weeks does not send weeks of reminders at once.
const latestMs = 24 * 3_600_000;

/** When each is due, by the shop's calendar; the first is number 1. */
export function remindersOf({ createdAt, timeZone, reminders }: Placed): readonly Date[] {
  if (reminders.length === 0) return [];
  const created = Temporal.Instant.fromEpochMilliseconds(createdAt.getTime()).toZonedDateTimeISO(timeZone);
  return reminders.map((after) => new Date(created.add(Temporal.Duration.from(after)).epochMilliseconds));
}

export function isTooLateToRemind(dueAt: Date, now: Date): boolean {
  return now.getTime() - dueAt.getTime() > latestMs;
}
