/** The icons, drawn for these pages. Decoration only: what they say is also said in words. */
import { raw } from './html.ts';

const draw = (paths: string, size = 24): ReturnType<typeof raw> =>
  raw(
    `<svg class="icon" width="${size}" height="${size}" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="2" stroke-linecap="round" stroke-linejoin="round" aria-hidden="true" focusable="false">${paths}</svg>`,
  );

export const icons = {
  lock: draw('<rect x="5" y="11" width="14" height="9" rx="2"/><path d="M8 11V8a4 4 0 0 1 8 0v3"/>', 16),
  card: draw('<rect x="3" y="5.5" width="18" height="13" rx="2.5"/><path d="M3 10h18M7 15h3"/>'),
  check: draw('<path d="m5 12.5 4.5 4.5L19 7.5"/>'),
  cross: draw('<path d="M7 7l10 10M17 7 7 17"/>'),
  clock: draw('<circle cx="12" cy="12" r="9"/><path d="M12 7v5.5l3.5 2"/>'),
  question: draw('<path d="M9 9.2a3 3 0 1 1 4.4 2.7c-.9.5-1.4 1.1-1.4 2.100M12 17.500v.01"/>'),
  alert: draw('<path d="M12 4 2.8 20h18.400L12 4ZM12 10v4.500M12 17.300v.01"/>', 20),
  info: draw('<circle cx="12" cy="12" r="9"/><path d="M12 11v5M12 7.700v.01"/>', 20),
  basket: draw('<path d="M4 9h16l-1.6 9.200a2 2 0 0 1-2 1.800H7.600a2 2 0 0 1-2-1.800L4 9ZM8.5 9l2.5-5M15.5 9 13 4"/>'),
  key: draw('<circle cx="8" cy="15" r="4"/><path d="m11 12 8-8M16 7l2.5 2.5"/>', 20),
  mail: draw('<rect x="3" y="5.5" width="18" height="13" rx="2.5"/><path d="m4 7.5 8 6 8-6"/>', 20),
  page: draw(
    '<path d="M7 3.500h7l4 4v12a1 1 0 0 1-1 1H7a1 1 0 0 1-1-1v-15a1 1 0 0 1 1-1ZM14 3.500v4h4M9 12.500h6M9 16h6"/>',
    20,
  ),
  chevron: draw('<path d="m6 9.5 6 6 6-6"/>', 18),
  repeat: draw(
    '<path d="M17 3.500 20 6.500l-3 3M4 11.500v-1a4 4 0 0 1 4-4h12M7 20.500l-3-3 3-3M20 12.500v1a4 4 0 0 1-4 4H4"/>',
    20,
  ),
  bank: draw('<path d="M4 10h16L12 4 4 10ZM6 10v7M10 10v7M14 10v7M18 10v7M4 20h16"/>'),
  out: draw(
    '<path d="M14 5h5v5M19 5l-8 8M10 6H6.500A1.5 1.5 0 0 0 5 7.500v10A1.5 1.5 0 0 0 6.5 19h10a1.5 1.5 0 0 0 1.5-1.500V14"/>',
    14,
  ),
} as const;

export type IconName = keyof typeof icons;
