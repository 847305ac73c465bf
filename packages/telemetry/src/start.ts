/**
 * Starts tracing. Ids are always made, so that logs and timelines can name a trace; spans and metrics leave the process
 * only when an OTLP endpoint is configured. The Node SDK is loaded only then: it doubles the memory of a small process.
 */
import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { AlwaysOnSampler, TracerProvider } from '@opentelemetry/sdk-trace';

export interface RunningTelemetry {
  /** Sends what is left; gives up after five seconds. */
  stop(): Promise<void>;
}

export async function startTelemetry(options: {
  service: string;
  otlpEndpoint?: string;
  exportEveryMs?: number;
}): Promise<RunningTelemetry> {
  const endpoint = options.otlpEndpoint?.replace(/\/$/, '') ?? '';
  if (endpoint === '') {
    context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
    trace.setGlobalTracerProvider(new TracerProvider({ sampler: new AlwaysOnSampler() }));
    return { stop: async () => undefined };
  }
  const [
    { NodeSDK },
    { OTLPTraceExporter },
    { OTLPMetricExporter },
    { PeriodicExportingMetricReader },
    { resourceFromAttributes },
    { BatchSpanProcessor },
  ] = await Promise.all([
    import('@opentelemetry/sdk-node'),
    import('@opentelemetry/exporter-trace-otlp-http'),
    import('@opentelemetry/exporter-metrics-otlp-http'),
    import('@opentelemetry/sdk-metrics'),
    import('@opentelemetry/resources'),
    import('@opentelemetry/sdk-trace'),
  ]);
  const everyMs = options.exportEveryMs ?? 1_000;
  const sdk = new NodeSDK({
    autoDetectResources: false,
    instrumentations: [],
    resource: resourceFromAttributes({ 'service.name': options.service, 'service.namespace': 'tillstream' }),
    sampler: new AlwaysOnSampler(),
    spanProcessors: [
      new BatchSpanProcessor({
        exporter: new OTLPTraceExporter({ url: `${endpoint}/v1/traces` }),
        scheduledDelayMillis: everyMs,
        maxQueueSize: 20_000,
        maxExportBatchSize: 2_000,
      }),
    ],
    metricReaders: [
      new PeriodicExportingMetricReader({
        exporter: new OTLPMetricExporter({ url: `${endpoint}/v1/metrics` }),
        exportIntervalMillis: 15_000,
      }),
    ],
  });
  sdk.start();
  return {
    stop: () =>
      Promise.race([
        sdk.shutdown().catch(() => undefined),
        new Promise<void>((resolve) => setTimeout(resolve, 5_000).unref()),
      ]),
  };
}
