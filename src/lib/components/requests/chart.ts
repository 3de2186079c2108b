/** Draws one line of figures over time. Loaded when a chart is shown, and not before. */
import uPlot from 'uplot';
import 'uplot/dist/uPlot.min.css';
import { clockOf } from './request-words.ts';

export interface ChartData {
  /** Unix seconds. */
  readonly times: readonly number[];
  readonly values: readonly (number | null)[];
}

export interface ChartLook {
  readonly kind: 'line' | 'bars';
  /** A token of the theme. */
  readonly colour: string;
  readonly height: number;
}

export interface Chart {
  readonly show: (data: ChartData) => void;
  readonly close: () => void;
}

/** Fills the width of `host`, and keeps to it. */
export function drawChart(host: HTMLElement, data: ChartData, look: ChartLook): Chart {
  const plot = new uPlot(optionsOf(host, look), toUplot(data), host);
  const observer = new ResizeObserver(() => plot.setSize({ width: host.clientWidth, height: look.height }));
  observer.observe(host);
  return {
    show: (next) => plot.setData(toUplot(next)),
    close: () => {
      observer.disconnect();
      plot.destroy();
    },
  };
}

function optionsOf(host: HTMLElement, { kind, colour, height }: ChartLook): uPlot.Options {
  const style = getComputedStyle(host);
  const token = (name: string) => style.getPropertyValue(name).trim();
  const axis: uPlot.Axis = {
    stroke: token('--ink-3'),
    font: `11px ${style.fontFamily}`,
    grid: { stroke: token('--line'), width: 1 },
    ticks: { show: false },
  };
  const bars = kind === 'bars' ? uPlot.paths.bars?.({ size: [0.7, 24] }) : undefined;
  return {
    width: host.clientWidth,
    height,
    legend: { show: false },
    cursor: { y: false, points: { size: 6 } },
    axes: [
      { ...axis, size: 24, space: 80, values: clocks },
      { ...axis, size: 44, space: 24, ...(bars && { incrs: wholeSteps }) },
    ],
    scales: {
      y: { range: (_plot, _least, most) => [0, Number.isFinite(most) && most > 0 ? most * 1.1 : 1] },
    },
    series: [
      {},
      {
        stroke: token(colour),
        width: 1.5,
        spanGaps: true,
        points: { size: 4, fill: token(colour) },
        ...(bars && { paths: bars, fill: token(colour), points: { show: false } }),
      },
    ],
  };
}

/** What is counted has no halves. */
const wholeSteps = Array.from({ length: 9 }, (_, power) =>
  [1, 2, 5].map((step) => step * 10 ** power),
).flat();

/** As in the list, in one line: the library's own have the date in a second one. */
function clocks(_plot: uPlot, seconds: number[], _axis: number, _space: number, step: number): string[] {
  return seconds.map((at) => clockOf(at * 1000).slice(0, step < 60 ? 8 : 5));
}

function toUplot({ times, values }: ChartData): uPlot.AlignedData {
  return [[...times], [...values]];
}
