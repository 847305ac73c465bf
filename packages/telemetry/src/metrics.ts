/** Metrics by hand; the names and what they mean are in docs/telemetry.md. Without an endpoint they cost next to nothing. */
import { metrics, type Counter, type Histogram } from '@opentelemetry/api';

export type Attributes = Readonly<Record<string, string | number | boolean>>;

// Semantic conventions' buckets for durations of calls, in seconds.
const seconds = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

export function counter(name: string, description: string): Counter {
  return metrics.getMeter('tillstream').createCounter(name, { description });
}

/** Durations in seconds. */
export function durations(name: string, description: string): Histogram {
  return metrics
    .getMeter('tillstream')
    .createHistogram(name, { description, unit: 's', advice: { explicitBucketBoundaries: seconds } });
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
