/** The timeline: a lane for each of the models that were asked most, and one for the others. */
import type { RequestRowJson } from '#lib/model/wire-requests.ts';
import { clockOf, durationOf, isUnderWay, modelOf } from './request-words.ts';

export interface Bar {
  readonly id: string;
  readonly lane: number;
  /** Of the whole width: 0–1000. */
  readonly x: number;
  readonly width: number;
  /** A token of the theme. */
  readonly colour: string;
}

export interface Timeline {
  readonly lanes: readonly string[];
  readonly bars: readonly Bar[];
  readonly fromMs: number;
  readonly toMs: number;
  /** The same in a sentence. */
  readonly words: string;
}

const mostLanes = 4;
const mostBars = 400;
const shortestMs = 60_000;

/** Of rows newest first. */
export function timelineOf(rows: readonly RequestRowJson[], nowMs: number): Timeline {
  const shown = rows.slice(0, mostBars);
  const names = shown.map(modelOf);
  const lanes = lanesOf(names);
  const toMs = Math.max(...shown.map((row) => row.started_ms + (durationOf(row, nowMs) ?? 0)));
  const fromMs = Math.min(shown.at(-1)?.started_ms ?? toMs, toMs - shortestMs);
  const scale = 1000 / (toMs - fromMs);
  const bars = shown.map((row, index): Bar => {
    const lane = lanes.indexOf(names[index] ?? '');
    return {
      id: row.id,
      lane: lane < 0 ? lanes.length - 1 : lane,
      x: (row.started_ms - fromMs) * scale,
      width: Math.max(3.5, (durationOf(row, nowMs) ?? 0) * scale),
      colour: colourOf(row),
    };
  });
  return { lanes, bars, fromMs, toMs, words: sentence(shown, lanes.length, fromMs, toMs) };
}

/** Six times along the axis. */
export function ticksOf({ fromMs, toMs }: Timeline): readonly string[] {
  const hasSeconds = toMs - fromMs < 10 * 60_000;
  return [0, 1, 2, 3, 4, 5].map((step) => {
    const text = clockOf(fromMs + ((toMs - fromMs) * step) / 5);
    return hasSeconds ? text : text.slice(0, 5);
  });
}

function lanesOf(names: readonly string[]): readonly string[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  const lanes = [...counts].sort((a, b) => b[1] - a[1]).map(([name]) => name);
  return lanes.length <= mostLanes ? lanes : [...lanes.slice(0, mostLanes - 1), 'other'];
}

function colourOf(row: RequestRowJson): string {
  if (row.state === 'failed' || row.state === 'lost') return '--danger';
  if (row.state === 'cancelled') return '--warn';
  return isUnderWay(row) ? '--part-prefill' : '--part-decode';
}

function sentence(rows: readonly RequestRowJson[], lanes: number, fromMs: number, toMs: number): string {
  const failed = rows.filter(({ state }) => state === 'failed' || state === 'lost').length;
  const cancelled = rows.filter(({ state }) => state === 'cancelled').length;
  return [
    `Timeline, ${clockOf(fromMs)} to ${clockOf(toMs)}: ${rows.length} requests in ${lanes} lanes`,
    ...(failed > 0 ? [`${failed} failed`] : []),
    ...(cancelled > 0 ? [`${cancelled} cancelled`] : []),
  ].join(', ');
}
