/** Both signatures of a delivery (D6): the seed's, and Standard Webhooks 1.0 (v1 = HMAC-SHA256, v1a = Ed25519). */
import { createHash, createHmac, randomBytes } from 'node:crypto';
import { seedText } from '../../domain/seed-text.ts';
import type { Secrets } from '../../ports.ts';

/** Lower-case hex of SHA-512. */
export function signSeed(secret: string, body: string): string {
  return createHash('sha512').update(seedText(secret, body), 'utf8').digest('hex');
}

/** `v1,…` over id, time and the bytes that are sent. The secret is `whsec_` and base64. */
export function signStandard(secret: string, id: string, timestampS: number, body: Uint8Array): string {
  const key = Buffer.from(secret.replace(/^whsec_/, ''), 'base64');
  if (key.length === 0) throw new Error('a webhook secret without a key');
  return `v1,${createHmac('sha256', key).update(`${id}.${timestampS}.`).update(body).digest('base64')}`;
}

// 24 to 64 bytes are allowed; 32 are as many as the hash has.
export function makeStandardSecret(): string {
  return `whsec_${randomBytes(32).toString('base64')}`;
}

export function makeSeedSecret(): string {
  return randomBytes(24).toString('base64url');
}

export interface Signing {
  readonly id: string;
  readonly timestampS: number;
  readonly body: Buffer;
  readonly secrets: Secrets;
  /** During the 24 hours after a rotation. */
  readonly oldStandard: string | undefined;
  readonly isSeed: boolean;
  readonly isStandard: boolean;
}

/**
 * The headers that identify and sign. After a rotation `webhook-signature` has both signatures, the new one first. The
 * seed's header holds one value: the new secret's, from the rotation on (docs/decisions/webhook-secret-rotation.md).
 */
export function signatureHeaders(signing: Signing): Record<string, string> {
  const { id, timestampS, body, secrets, oldStandard } = signing;
  const headers: Record<string, string> = { 'webhook-id': id, 'webhook-timestamp': String(timestampS) };
  if (signing.isStandard) {
    const all = oldStandard === undefined ? [secrets.standard] : [secrets.standard, oldStandard];
    headers['webhook-signature'] = all.map((secret) => signStandard(secret, id, timestampS, body)).join(' ');
  }
  if (signing.isSeed) headers['signature'] = signSeed(secrets.seed, body.toString('utf8'));
  return headers;
}
