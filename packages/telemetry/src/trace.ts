/**
 * Spans at the seams, by hand: a span here costs one or two microseconds, auto-instrumentation costs a third of the
 * throughput. Trace context travels as a W3C traceparent string: in rpc metadata, outbox rows, message headers.
 */
import {
  context,
  SpanKind,
  SpanStatusCode,
  trace,
  TraceFlags,
  type Context,
  type Link,
  type Span,
  type SpanContext,
} from '@opentelemetry/api';

export type Kind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';

export interface SpanOptions {
  readonly kind?: Kind;
  /** A traceparent; absent = the active span. */
  readonly parent?: string;
  readonly links?: readonly string[];
  readonly attributes?: Readonly<Record<string, string | number | boolean>>;
}

const kinds: Record<Kind, SpanKind> = {
  internal: SpanKind.INTERNAL,
  server: SpanKind.SERVER,
  client: SpanKind.CLIENT,
  producer: SpanKind.PRODUCER,
  consumer: SpanKind.CONSUMER,
};
const form = /^00-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})$/;
const tracer = trace.getTracer('tillstream');

/** The active span as a traceparent, or '' when nothing is being traced. */
export function currentTraceparent(): string {
  const active = trace.getActiveSpan()?.spanContext();
  return active === undefined ? '' : traceparentOf(active);
}

/** The 32 hex digits of the trace, or '' when it is not a traceparent. */
export function traceIdOf(traceparent: string): string {
  return form.exec(traceparent)?.[1] ?? '';
}

/** Runs inside a new span; a throw marks it as failed and passes on. */
export async function inSpan<T>(name: string, options: SpanOptions, run: (span: Span) => Promise<T>): Promise<T> {
  const parent = parentContext(options.parent);
  const links: Link[] = (options.links ?? []).flatMap((text) => {
    const linked = read(text);
    return linked === undefined ? [] : [{ context: linked }];
  });
  const span = tracer.startSpan(
    name,
    { kind: kinds[options.kind ?? 'internal'], links, attributes: { ...options.attributes } },
    parent,
  );
  try {
    return await context.with(trace.setSpan(parent, span), run, undefined, span);
  } catch (error) {
    span.setStatus({ code: SpanStatusCode.ERROR, message: error instanceof Error ? error.name : 'error' });
    throw error;
  } finally {
    span.end();
  }
}

/** A short span that only marks a moment; answers its traceparent, so that what it causes can point to it. */
export function markSpan(name: string, options: SpanOptions): string {
  const span = tracer.startSpan(
    name,
    { kind: kinds[options.kind ?? 'internal'], attributes: { ...options.attributes } },
    parentContext(options.parent),
  );
  span.end();
  return traceparentOf(span.spanContext());
}

function parentContext(traceparent: string | undefined): Context {
  const active = context.active();
  const parent = traceparent === undefined || traceparent === '' ? undefined : read(traceparent);
  return parent === undefined ? active : trace.setSpanContext(active, parent);
}

function read(traceparent: string): SpanContext | undefined {
  const match = form.exec(traceparent);
  if (match === null) return undefined;
  const [, traceId = '', spanId = '', flags = '00'] = match;
  return { traceId, spanId, traceFlags: Number.parseInt(flags, 16), isRemote: true };
}

function traceparentOf(span: SpanContext): string {
  if (/^0*$/.test(span.traceId)) return '';
  return `00-${span.traceId}-${span.spanId}-${(span.traceFlags & TraceFlags.SAMPLED).toString(16).padStart(2, '0')}`;
}
