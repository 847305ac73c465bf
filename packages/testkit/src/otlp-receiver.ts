/** A real receiver of OTLP over HTTP (JSON), so that a test can look at the tree of a trace and at metrics. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { gunzipSync } from 'node:zlib';
import { eventually } from './eventually.ts';

export type SpanKind = 'internal' | 'server' | 'client' | 'producer' | 'consumer';
export type Attributes = Readonly<Record<string, string | number | boolean>>;

export interface ReceivedSpan {
  /** The resource's service.name. */
  readonly service: string;
  readonly traceId: string;
  readonly spanId: string;
  /** '' for a root. */
  readonly parentSpanId: string;
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
  readonly startedAtMs: number;
  readonly endedAtMs: number;
}

export interface ReceivedMetric {
  readonly service: string;
  readonly name: string;
  readonly unit: string;
  readonly points: readonly { readonly attributes: Attributes; readonly value: number }[];
}

export interface OtlpReceiver {
  /** What OTLP_ENDPOINT is set to. */
  readonly endpoint: string;
  /** In the order of their arrival; of one trace when its id is given. */
  spans(traceId?: string): readonly ReceivedSpan[];
  metrics(): readonly ReceivedMetric[];
  waitFor(matches: (span: ReceivedSpan) => boolean, withinMs?: number): Promise<ReceivedSpan>;
  waitForMetric(matches: (metric: ReceivedMetric) => boolean, withinMs?: number): Promise<ReceivedMetric>;
  /** The names from the root to this span; stops where a parent has not arrived. */
  pathOf(span: ReceivedSpan): readonly string[];
  clear(): void;
  stop(): Promise<void>;
}

interface WireValue {
  readonly stringValue?: string;
  readonly boolValue?: boolean;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
}
interface WireAttribute {
  readonly key: string;
  readonly value?: WireValue;
}
interface WireSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind: number;
  readonly attributes?: readonly WireAttribute[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
}
interface WirePoint {
  readonly attributes?: readonly WireAttribute[];
  readonly asDouble?: number;
  readonly asInt?: string | number;
  readonly count?: string | number;
}
interface WireMetric {
  readonly name: string;
  readonly unit?: string;
  readonly gauge?: { readonly dataPoints?: readonly WirePoint[] };
  readonly sum?: { readonly dataPoints?: readonly WirePoint[] };
  readonly histogram?: { readonly dataPoints?: readonly WirePoint[] };
}
interface WireResource {
  readonly resource?: { readonly attributes?: readonly WireAttribute[] };
  readonly scopeSpans?: readonly { readonly spans?: readonly WireSpan[] }[];
  readonly scopeMetrics?: readonly { readonly metrics?: readonly WireMetric[] }[];
}

const kinds: readonly SpanKind[] = ['internal', 'internal', 'server', 'client', 'producer', 'consumer'];

export async function startOtlpReceiver(): Promise<OtlpReceiver> {
  const spans: ReceivedSpan[] = [];
  const metrics: ReceivedMetric[] = [];
  const receive = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    try {
      const body: { resourceSpans?: readonly WireResource[]; resourceMetrics?: readonly WireResource[] } =
        await read(request);
      for (const resource of body.resourceSpans ?? []) spans.push(...spansOf(resource));
      for (const resource of body.resourceMetrics ?? []) metrics.push(...metricsOf(resource));
      response.writeHead(200, { 'content-type': 'application/json' }).end('{}');
    } catch {
      response.writeHead(400).end();
    }
  };
  const server = createServer((request, response) => void receive(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  const port = typeof address === 'object' && address !== null ? address.port : 0;
  return {
    endpoint: `http://127.0.0.1:${port}`,
    spans: (traceId) => spans.filter((span) => traceId === undefined || span.traceId === traceId),
    metrics: () => [...metrics],
    waitFor: (matches, withinMs) => eventually(() => spans.find(matches), withinMs),
    waitForMetric: (matches, withinMs) => eventually(() => metrics.findLast(matches), withinMs),
    pathOf(span) {
      const path = [span.name];
      for (let at = parentOf(span, spans); at !== undefined; at = parentOf(at, spans)) path.unshift(at.name);
      return path;
    },
    clear() {
      spans.length = 0;
      metrics.length = 0;
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function parentOf(span: ReceivedSpan, spans: readonly ReceivedSpan[]): ReceivedSpan | undefined {
  return span.parentSpanId === ''
    ? undefined
    : spans.find((each) => each.spanId === span.parentSpanId && each.traceId === span.traceId);
}

async function read(request: IncomingMessage): Promise<object> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const bytes = Buffer.concat(chunks);
  const body: object = JSON.parse(
    (request.headers['content-encoding'] === 'gzip' ? gunzipSync(bytes) : bytes).toString(),
  );
  return body;
}

function spansOf(resource: WireResource): readonly ReceivedSpan[] {
  const service = String(attributesOf(resource.resource?.attributes)['service.name'] ?? '');
  return (resource.scopeSpans ?? [])
    .flatMap((scope) => scope.spans ?? [])
    .map((span) => ({
      service,
      traceId: span.traceId,
      spanId: span.spanId,
      parentSpanId: span.parentSpanId ?? '',
      name: span.name,
      kind: kinds[span.kind] ?? 'internal',
      attributes: attributesOf(span.attributes),
      links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
      isError: span.status?.code === 2,
      startedAtMs: Number(BigInt(span.startTimeUnixNano) / 1_000n) / 1_000,
      endedAtMs: Number(BigInt(span.endTimeUnixNano) / 1_000n) / 1_000,
    }));
}

function metricsOf(resource: WireResource): readonly ReceivedMetric[] {
  const service = String(attributesOf(resource.resource?.attributes)['service.name'] ?? '');
  return (resource.scopeMetrics ?? [])
    .flatMap((scope) => scope.metrics ?? [])
    .map((metric) => ({
      service,
      name: metric.name,
      unit: metric.unit ?? '',
      points: (metric.gauge ?? metric.sum ?? metric.histogram)?.dataPoints?.map(pointOf) ?? [],
    }));
}

/** A histogram's value is its count. */
function pointOf(point: WirePoint): { attributes: Attributes; value: number } {
  return {
    attributes: attributesOf(point.attributes),
    value: Number(point.asDouble ?? point.asInt ?? point.count ?? 0),
  };
}

function attributesOf(attributes: readonly WireAttribute[] = []): Attributes {
  return Object.fromEntries(
    attributes.map(({ key, value }) => [
      key,
      value?.stringValue ??
        value?.boolValue ??
        (value?.intValue === undefined ? value?.doubleValue : Number(value.intValue)) ??
        '',
    ]),
  );
}
