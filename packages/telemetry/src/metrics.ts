/** Metrics by hand; the names and what they mean are in docs/telemetry.md. Without an endpoint they cost next to nothing. */
import { metrics, type Counter, type Histogram, type Meter, type MeterProvider } from '@opentelemetry/api';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

// Semantic conventions' buckets for durations of calls, in seconds.
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function counter(name: string, description: string): Counter {
  const made = lazily((meter) => meter.createCounter(name, { description }));
  return { add: (value, attributes) => made().add(value, attributes) };
}

/** Durations in seconds. */
export function durations(name: string, description: string): Histogram {
  const advice = { explicitBucketBoundaries: seconds };
  const made = lazily((meter) => meter.createHistogram(name, { description, unit: 's', advice }));
  return { record: (value, attributes) => made().record(value, attributes) };
}

/**
 * The API's meters are not proxies: an instrument that a module makes while it is loaded, before the start, would stay
 * silent for ever. So it is made when it is first used, and again when telemetry was started in between.
 */
function lazily<T>(make: (meter: Meter) => T): () => T {
  let last: { readonly provider: MeterProvider; readonly instrument: T } | undefined;
  return () => {
    const provider = metrics.getMeterProvider();
    if (last?.provider !== provider) last = { provider, instrument: make(provider.getMeter('tillstream')) };
    return last.instrument;
  };
}

/** Asked at each export; a throw leaves the value out. */
export function gauge(
  name: string,
  description: string,
  observe: () => Promise<number>,
  attributes: Attributes = {},
): () => void {
  const made = metrics.getMeter('tillstream').createObservableGauge(name, { description });
  const callback = async (result: {
    observe(value: number, attributes?: Record<string, string | number | boolean>): void;
  }) => {
    try {
      result.observe(await observe(), { ...attributes });
    } catch {
      // What cannot be asked is not reported; its absence is what alerts are written for.
    }
  };
  made.addCallback(callback);
  return () => made.removeCallback(callback);
}
