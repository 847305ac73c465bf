/** When customers are reminded of an unpaid order (P8): durations counted from its creation. */

// More would be pestering; and on the ninetieth day the order is deleted.
const mostReminders = 5;
const mostHours = 90 * 24;
// P89DT23H59M59S and the like; nothing sensible is longer.
const longestText = 32;

/** Undefined when they are fine. */
export function complainAboutReminders(after: readonly string[]): string | undefined {
  if (after.length > mostReminders) return `At most ${mostReminders} reminders.`;
  const hours = after.map(hoursIn);
  if (hours.includes(undefined))
    return 'ISO 8601 durations of weeks, days, hours and minutes, such as P1D or PT12H; months have no length of their own.';
  if (hours.some((each = 0) => each <= 0 || each >= mostHours)) return 'Each more than nothing and less than 90 days.';
  if (hours.some((each = 0, at) => at > 0 && each <= (hours[at - 1] ?? 0))) return 'Each later than the one before.';
  return undefined;
}

/** A day counts 24 hours here, whatever the clocks do on it. Undefined when the text is no such duration. */
function hoursIn(text: string): number | undefined {
  if (text.length > longestText) return undefined;
  try {
    const duration = Temporal.Duration.from(text);
    if (duration.years !== 0 || duration.months !== 0) return undefined;
    return duration.total({ unit: 'hours', relativeTo: '2026-01-01' });
  } catch {
    return undefined;
  }
}
