/** How far a test clock may be moved (D15). */
export type ClockRefusal = 'clock_cannot_go_back' | 'clock_too_far' | 'invalid_field';

// Ten years of a daily subscription are some ten thousand steps.
const mostYears = 10;
const latest = Date.UTC(2101, 0, 1);

/** Where an advance leads: a moment, or a duration from `from`, whose calendar units count in the shop's time zone. */
export function targetOf(from: Date, wanted: { to?: Date; by?: string }, timeZone: string): Date | ClockRefusal {
  const to = wanted.to ?? addTo(from, wanted.by ?? '', timeZone);
  if (to === undefined) return 'invalid_field';
  if (to <= from) return 'clock_cannot_go_back';
  const furthest = zoned(from, timeZone).add({ years: mostYears }).epochMilliseconds;
  return to.getTime() > furthest || to.getTime() >= latest ? 'clock_too_far' : to;
}

/** Undefined when the text is no ISO 8601 duration. What leads out of time leads to its end. */
function addTo(from: Date, text: string, timeZone: string): Date | undefined {
  let duration: Temporal.Duration;
  try {
    duration = Temporal.Duration.from(text);
  } catch {
    return undefined;
  }
  try {
    return new Date(zoned(from, timeZone).add(duration).epochMilliseconds);
  } catch {
    return new Date(duration.sign < 0 ? 0 : latest);
  }
}

function zoned(at: Date, timeZone: string): Temporal.ZonedDateTime {
  return Temporal.Instant.fromEpochMilliseconds(at.getTime()).toZonedDateTimeISO(timeZone);
}
