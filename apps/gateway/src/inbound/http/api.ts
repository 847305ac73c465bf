/** What a request and a reply carry here, and the type that routes are added to. */
import type { RefusalCode } from '@tillstream/rpc/refusals';
import type {
  FastifyBaseLogger,
  FastifyInstance,
  RawReplyDefaultExpression,
  RawRequestDefaultExpression,
  RawServerDefault,
} from 'fastify';
import type { ZodTypeProvider } from 'fastify-type-provider-zod';
import type { Claim } from '../../domain/answer.ts';
import type { Tenant } from './tenant.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** Null where no key is needed. */
    tenant: Tenant | null;
    /** Null without an Idempotency-Key. */
    claim: Claim | null;
  }
  interface FastifyReply {
    refusal: RefusalCode | null;
  }
  interface FastifyContextConfig {
    /** Licence codes are the merchant's goods and may be long numbers. */
    mayHoldCardNumbers?: boolean;
  }
}

export type Api = FastifyInstance<
  RawServerDefault,
  RawRequestDefaultExpression,
  RawReplyDefaultExpression,
  FastifyBaseLogger,
  ZodTypeProvider
>;
