/** What happens around a handler, whichever way the call came: a span, the duration, refusals out, faults logged once. */
import { durations } from '@tillstream/telemetry/metrics';
import { probe } from '@tillstream/telemetry/probe';
import { currentTraceparent, inSpan, traceIdOf } from '@tillstream/telemetry/trace';
import type { Log, RpcBinding } from './contract.ts';
import { Refused } from './refusals.ts';

export interface Asked {
  readonly request: never;
  readonly deadline: Date;
  /** A traceparent; absent = the active span. */
  readonly parent?: string;
}

const callDuration = durations('rpc.server.call.duration', 'How long calls took on the server');

/** Throws Refused and nothing else: of a fault the caller learns only that there was one. */
export async function answerCall(each: RpcBinding['methods'][number], asked: Asked, log: Log): Promise<unknown> {
  const path = each.method.path.slice(1);
  const startedAt = performance.now();
  let refused: Refused | undefined;
  const { parent, request, deadline } = asked;
  const answer = await inSpan(
    path,
    {
      kind: 'server',
      ...(parent === undefined ? {} : { parent }),
      attributes: { 'rpc.system.name': 'grpc', 'rpc.method': path },
    },
    async (span) => {
      try {
        probe('request parsed');
        const answer = await each.answer(request, { traceparent: currentTraceparent(), deadline });
        probe('request done');
        return answer;
      } catch (error) {
        if (!(error instanceof Refused))
          log.error({ err: error, rpc: path, trace_id: traceIdOf(currentTraceparent()) }, 'rpc failed');
        refused = error instanceof Refused ? error : new Refused('internal');
        span.setAttribute('rpc.status_code', refused.code);
        return undefined;
      }
    },
  );
  callDuration.record((performance.now() - startedAt) / 1_000, {
    'rpc.method': path,
    'rpc.status_code': refused?.code ?? 'OK',
  });
  if (refused !== undefined) throw refused;
  return answer;
}
