/** A member of a consumer group in a process of its own (dying-member.ts). */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { MortalMember } from './carrier-contract.ts';

export interface Place {
  readonly kind: 'embedded' | 'kafka';
  readonly address: string;
  readonly topic: string;
  readonly group: string;
}

export function startMember(place: Place): MortalMember {
  const member = spawn(process.execPath, [fileURLToPath(new URL('dying-member.ts', import.meta.url))], {
    env: { ...process.env, MEMBER: JSON.stringify(place) },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  return { hasTaken: once(member.stdout, 'data'), kill: () => void member.kill('SIGKILL') };
}
