/** The secrets of one data folder: made on the first start, kept in a file that only its owner can read. */
import { randomBytes } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';

const shape = z.object({
  vaultKeys: z.string(),
  keyPepper: z.string(),
  rolePassword: z.string(),
  sandboxSecret: z.string(),
  sandboxCallbackSecret: z.string(),
  /** The demo account's test key, so that every start can print it. */
  apiKey: z.string().default(''),
});

export type Secrets = z.infer<typeof shape>;

export function loadSecrets(file: string): Secrets {
  if (existsSync(file)) return shape.parse(JSON.parse(readFileSync(file, 'utf8')));
  const made: Secrets = {
    vaultKeys: `k1:${randomBytes(32).toString('base64')}`,
    keyPepper: randomBytes(32).toString('base64'),
    rolePassword: randomBytes(24).toString('hex'),
    sandboxSecret: `sandbox_${randomBytes(24).toString('hex')}`,
    sandboxCallbackSecret: randomBytes(32).toString('hex'),
    apiKey: '',
  };
  saveSecrets(file, made);
  return made;
}

export function saveSecrets(file: string, secrets: Secrets): void {
  writeFileSync(file, `${JSON.stringify(secrets, null, 2)}\n`, { mode: 0o600 });
}
