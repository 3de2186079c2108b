/** Spans of time and dates as the pages write them. */

/** 252000 → "4:12"; never below zero. */
export function formatCountdown(ms: number): string {
  const seconds = Math.max(0, Math.ceil(ms / 1000));
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}

/** 0.4 → "0.40 s", 3200 ms → "3.2 s", 75 s → "1 min 15 s". */
export function formatSeconds(ms: number): string {
  const seconds = ms / 1000;
  if (seconds < 1) return `${seconds.toFixed(2)} s`;
  if (seconds < 60) return `${seconds.toFixed(seconds < 10 ? 1 : 0)} s`;
  return `${Math.floor(seconds / 60)} min ${Math.round(seconds % 60)} s`;
}

/** How long a pull still takes: "15 s", "4 min", "1 h 20 min". */
export function formatLeft(seconds: number): string {
  if (seconds < 60) return `${seconds} s`;
  const minutes = Math.round(seconds / 60);
  if (minutes < 60) return `${minutes} min`;
  return `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

/** The day of the year a moment fell on: "9 Nov", with the year when it is another one. */
export function formatDay(ms: number, nowMs: number): string {
  const sameYear = new Date(ms).getFullYear() === new Date(nowMs).getFullYear();
  return new Date(ms).toLocaleDateString('en-GB', {
    day: 'numeric',
    month: 'short',
    ...(!sameYear && { year: 'numeric' }),
  });
}

/** "now", "11:20" today, "Wed" this week, else the day. */
export function formatMoment(ms: number, nowMs: number): string {
  if (nowMs - ms < 60_000) return 'now';
  const days = daysBetween(ms, nowMs);
  if (days === 0) return new Date(ms).toLocaleTimeString('en-GB', { hour: '2-digit', minute: '2-digit' });
  if (days < 7) return new Date(ms).toLocaleDateString('en-GB', { weekday: 'short' });
  return formatDay(ms, nowMs);
}

/** Whole calendar days from one moment to another. */
export function daysBetween(ms: number, nowMs: number): number {
  return Math.round((startOfDay(nowMs) - startOfDay(ms)) / 86_400_000);
}

function startOfDay(ms: number): number {
  return new Date(ms).setHours(0, 0, 0, 0);
}
