import { expect, it } from 'vitest';
import { daysBetween, formatCountdown, formatLeft, formatSeconds } from './duration.ts';

it('counts down in minutes and seconds, never below zero', () => {
  expect(formatCountdown(252_000)).toBe('4:12');
  expect(formatCountdown(-5)).toBe('0:00');
});

it('writes short spans with the figures they need', () => {
  expect(formatSeconds(410)).toBe('0.41 s');
  expect(formatSeconds(3200)).toBe('3.2 s');
  expect(formatSeconds(75_000)).toBe('1 min 15 s');
});

it('writes what is left of a pull', () => {
  expect(formatLeft(15)).toBe('15 s');
  expect(formatLeft(240)).toBe('4 min');
  expect(formatLeft(4800)).toBe('1 h 20 min');
});

it('counts calendar days', () => {
  const noon = new Date(2026, 10, 24, 12).getTime();
  expect(daysBetween(new Date(2026, 10, 23, 23).getTime(), noon)).toBe(1);
  expect(daysBetween(noon, noon)).toBe(0);
});
