/** What each part of the product is told on one machine. The split form (scripts/split.ts) tells its processes the same. */
import type { Ports } from './ports.ts';
import type { Secrets } from './secrets.ts';

export interface Places {
  readonly gateway: string;
  readonly checkout: string;
  readonly console: string;
  readonly mail: string;
  readonly sandbox: string;
}

export function placesOf(ports: Ports, host: string): Places {
  // A browser cannot open 0.0.0.0.
  const name = host === '0.0.0.0' ? '127.0.0.1' : host;
  const at = (port: number) => `http://${name}:${port}`;
  return {
    gateway: at(ports.gateway),
    checkout: at(ports.checkout),
    console: at(ports.console),
    mail: at(ports.mail),
    sandbox: at(ports.sandbox),
  };
}

export function environmentOf(ports: Ports, places: Places, secrets: Secrets, data: string): Record<string, string> {
  return {
    CHECKOUT_URL: places.checkout,
    CALLBACK_BASE_URL: places.gateway,
    PAYMENT_PAGE_ORIGINS: places.sandbox,
    VAULT_KEYS: secrets.vaultKeys,
    KEY_PEPPER: secrets.keyPepper,
    SANDBOX_URL: places.sandbox,
    SANDBOX_PUBLIC_URL: places.sandbox,
    SANDBOX_SECRET: secrets.sandboxSecret,
    SANDBOX_CALLBACK_SECRET: secrets.sandboxCallbackSecret,
    SANDBOX_CALLBACK_URL: `${places.gateway}/provider_callbacks/sandbox`,
    SANDBOX_FILE: `${data}/sandbox.jsonl`,
    SMTP_URL: `smtp://127.0.0.1:${ports.smtp}`,
    SMTP_PORT: String(ports.smtp),
    MAILBOX_FILE: `${data}/mail.jsonl`,
    // Everything here is test mode on one machine: receivers of webhooks are here too.
    ALLOW_LOOPBACK_WEBHOOKS: '1',
  };
}
