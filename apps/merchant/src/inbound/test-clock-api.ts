/** Answers TestClockApi. */
import type { Merchant } from '@tillstream/proto/merchant/v1/merchant_api';
import type { TestClock, TestClockApiService } from '@tillstream/proto/merchant/v1/test_clock_api';
import { Refused } from '@tillstream/rpc/refusals';
import type { Handlers } from '@tillstream/rpc/server';
import { targetOf } from '../domain/test-clock.ts';

interface Shown {
  readonly clock: {
    readonly status: 'wall' | 'ahead' | 'advancing';
    readonly sequence: bigint;
    readonly pushed_sequence: bigint;
  };
  readonly now: Date;
  readonly advance:
    | {
        readonly advance_id: string;
        readonly from_at: Date;
        readonly to_at: Date;
        readonly at: Date;
        readonly status: string;
        readonly waiting_for: readonly { source: string; what: string; count: number }[];
        readonly fired_count: number;
        readonly started_at: Date;
        readonly finished_at: Date | null;
      }
    | undefined;
  readonly firings: readonly { at: Date; source: string; kind: string; object_id: string }[];
}

export interface TestClockParts {
  readonly merchants: { get(merchantIds: readonly string[]): Promise<readonly Merchant[]> };
  readonly clocks: {
    show(merchantId: string): Promise<Shown | undefined>;
    begin(merchantId: string, from: Date, to: Date, requestId: string | undefined): Promise<boolean>;
    isKnown(merchantId: string, requestId: string): Promise<boolean>;
    reset(merchantId: string): Promise<boolean>;
  };
  /** There is something new for the time machine. */
  readonly ring: () => void;
  readonly wallNow: () => Date;
}

export function answerTestClockApi(parts: TestClockParts): Handlers<typeof TestClockApiService> {
  const { merchants, clocks, ring, wallNow } = parts;
  const show = async (merchantId: string): Promise<{ clock: TestClock }> => ({
    clock: toWire(merchantId, await clocks.show(merchantId), wallNow()),
  });
  const ofTestMode = async (merchantId: string): Promise<Merchant> => {
    const [merchant] = await merchants.get([merchantId]);
    if (merchant === undefined) throw new Refused('merchant_not_found');
    if (merchant.livemode) throw new Refused('test_mode_only');
    return merchant;
  };
  return {
    async getTestClock({ merchantId }) {
      await ofTestMode(merchantId);
      return show(merchantId);
    },
    async beginAdvance({ merchantId, to, by, requestId }) {
      const { timeZone } = await ofTestMode(merchantId);
      if (requestId !== '' && (await clocks.isKnown(merchantId, requestId))) return show(merchantId);
      const before = await clocks.show(merchantId);
      if (before?.clock.status === 'advancing') throw new Refused('test_clock_busy');
      const from = before?.now ?? wallNow();
      const target = targetOf(from, to === undefined ? { by } : { to }, timeZone);
      if (target === 'invalid_field')
        throw new Refused('invalid_field', { param: 'by', detail: 'An ISO 8601 duration such as P400D or PT30M.' });
      if (typeof target === 'string') throw new Refused(target, { param: to === undefined ? 'by' : 'to' });
      // Two at the same moment: one begins, the other hears that the clock is busy.
      if (!(await clocks.begin(merchantId, from, target, requestId === '' ? undefined : requestId)))
        throw new Refused('test_clock_busy');
      ring();
      return show(merchantId);
    },
    async resetTestClock({ merchantId }) {
      await ofTestMode(merchantId);
      const before = await clocks.show(merchantId);
      if (before !== undefined && !(await clocks.reset(merchantId))) throw new Refused('test_clock_busy');
      ring();
      return show(merchantId);
    },
  };
}

function toWire(merchantId: string, shown: Shown | undefined, wallNow: Date): TestClock {
  if (shown === undefined) return { merchantId, now: wallNow, status: 'wall', advance: undefined };
  const { clock, now, advance, firings } = shown;
  // Done for whoever asks only when every service lives by the new time.
  const isPushed = clock.pushed_sequence >= clock.sequence;
  return {
    merchantId,
    now,
    status: clock.status,
    advance: advance && {
      id: advance.advance_id,
      from: advance.from_at,
      to: advance.to_at,
      status: advance.status === 'done' && !isPushed ? 'running' : advance.status,
      at: advance.at,
      fired: firings.map(({ at, source, kind, object_id: objectId }) => ({ at, source, kind, objectId })),
      firedCount: advance.fired_count,
      waitingFor: [...advance.waiting_for],
      startedAt: advance.started_at,
      finishedAt: advance.finished_at ?? undefined,
    },
  };
}
