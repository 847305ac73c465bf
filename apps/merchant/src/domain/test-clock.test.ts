import { describe, expect, it } from 'vitest';
import { targetOf } from './test-clock.ts';

const from = new Date('2026-01-31T11:00:00Z');

describe('how far a test clock may be moved', () => {
  it('counts days, months and hours as the shop does', () => {
    expect(targetOf(from, { by: 'P400D' }, 'UTC')).toEqual(new Date('2027-03-07T11:00:00Z'));
    expect(targetOf(from, { by: 'P1M' }, 'UTC')).toEqual(new Date('2026-02-28T11:00:00Z'));
    expect(targetOf(from, { by: 'P2M' }, 'Europe/Prague')).toEqual(new Date('2026-03-31T10:00:00Z'));
    expect(targetOf(from, { by: 'PT30M' }, 'UTC')).toEqual(new Date('2026-01-31T11:30:00Z'));
    expect(targetOf(from, { to: new Date('2026-02-01T00:00:00Z') }, 'UTC')).toEqual(new Date('2026-02-01T00:00:00Z'));
  });

  it('refuses to stand, to go back, to go too far, and what is no duration', () => {
    expect(targetOf(from, { by: 'P0D' }, 'UTC')).toBe('clock_cannot_go_back');
    expect(targetOf(from, { by: '-P1D' }, 'UTC')).toBe('clock_cannot_go_back');
    expect(targetOf(from, { to: from }, 'UTC')).toBe('clock_cannot_go_back');
    expect(targetOf(from, { by: 'P10Y' }, 'UTC')).toEqual(new Date('2036-01-31T11:00:00Z'));
    expect(targetOf(from, { by: 'P10YT1S' }, 'UTC')).toBe('clock_too_far');
    expect(targetOf(from, { by: 'P1000Y' }, 'UTC')).toBe('clock_too_far');
    expect(targetOf(from, { by: 'P999999999Y' }, 'UTC')).toBe('clock_too_far');
    expect(targetOf(from, { by: '-P999999999Y' }, 'UTC')).toBe('clock_cannot_go_back');
    expect(targetOf(from, { by: 'a year' }, 'UTC')).toBe('invalid_field');
    expect(targetOf(from, { by: '' }, 'UTC')).toBe('invalid_field');
  });
});
