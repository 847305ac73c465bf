/**
 * A database that is away is nobody's fault: who asks hears "unavailable", waits and asks again, and parks nothing. Without
 * this it would be "internal", which looks the same as a bug in the handler.
 */
import type { Log } from '@tillstream/messaging/log';
import { isOutage } from '@tillstream/messaging/outage';
import type { RpcBinding } from '@tillstream/rpc/contract';
import { Refused } from '@tillstream/rpc/refusals';

export function refusingOutages(binding: RpcBinding, log: Log): RpcBinding {
  const methods = binding.methods.map((each): RpcBinding['methods'][number] => ({
    ...each,
    answer: async (request, call) => {
      try {
        return await each.answer(request, call);
      } catch (error) {
        if (error instanceof Refused || !isOutage(error)) throw error;
        log.warn({ err: error, rpc: each.method.path.slice(1) }, 'what a call needs is away');
        const refused = new Refused('unavailable');
        refused.cause = error;
        throw refused;
      }
    },
  }));
  return { ...binding, methods };
}
