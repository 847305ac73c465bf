/** What keeps strangers out: headers of every answer, and where a form may come from and a customer may be sent. */
import type { IncomingHttpHeaders } from 'node:http';

export interface HeaderParts {
  readonly nonce: string;
  readonly isSecure: boolean;
  readonly paymentPageOrigins: readonly string[];
}

/** No script or style without this answer's nonce; no other site may frame, embed or be told where the visitor was. */
export function securityHeaders(parts: HeaderParts): Record<string, string> {
  const { nonce } = parts;
  // form-action holds for the redirects after a form, too: the payment form ends on the provider's page.
  const policy = [
    "default-src 'none'",
    `script-src 'nonce-${nonce}'`,
    `style-src 'nonce-${nonce}'`,
    'img-src https: data:',
    "connect-src 'self'",
    `form-action 'self'${parts.paymentPageOrigins.map((origin) => ` ${origin}`).join('')}`,
    "frame-ancestors 'none'",
    "base-uri 'none'",
    "require-trusted-types-for 'script'",
  ];
  return {
    'content-security-policy': policy.join('; '),
    'referrer-policy': 'no-referrer',
    'x-content-type-options': 'nosniff',
    'cross-origin-opener-policy': 'same-origin',
    'cross-origin-resource-policy': 'same-origin',
    'permissions-policy': 'camera=(), geolocation=(), microphone=(), payment=(), usb=()',
    'cache-control': 'no-store',
    ...(parts.isSecure ? { 'strict-transport-security': 'max-age=31536000' } : {}),
  };
}

/**
 * Whether a form was sent by another site. Who sends one needs the unguessable address of a cart or an order anyway; this
 * is the second lock. Our pages say `no-referrer`, and so browsers send `Origin: null` with our own forms: only a real
 * foreign origin speaks against a form, and Sec-Fetch-Site, where the browser says it, decides.
 */
export function isForeignForm(headers: IncomingHttpHeaders, ownOrigin: string): boolean {
  const site = headers['sec-fetch-site'];
  if (typeof site === 'string') return site !== 'same-origin' && site !== 'none';
  const { origin } = headers;
  return origin !== undefined && origin !== 'null' && origin !== ownOrigin;
}

/** Whether a customer may be sent to this address. */
export function isPaymentPage(url: string, origins: readonly string[]): boolean {
  return URL.canParse(url) && origins.includes(new URL(url).origin);
}
