/** What a route answers with, before it is sent. */
import type { Html } from '../pages/html.ts';

export type Answer = (
  | { readonly type: 'page'; readonly status: number; readonly content: Html }
  | { readonly type: 'redirect'; readonly to: string }
  | { readonly type: 'json'; readonly body: object }
  | { readonly type: 'text'; readonly status: number; readonly body: string }
) & { readonly cookies?: readonly string[] };

export const show = (content: Html, status = 200): Answer => ({ type: 'page', status, content });
export const goTo = (to: string, cookies: readonly string[] = []): Answer => ({ type: 'redirect', to, cookies });
