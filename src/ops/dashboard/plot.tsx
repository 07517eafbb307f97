import { useEffect, useRef, useState } from 'preact/hooks';
import uPlot from 'uplot';
import type { Unit } from '../../metrics/reading.js';
import { useCollector } from './context.js';
import { clockTime, figure } from './format.js';
import type { Point, Selector } from './samples.js';

/** One of the colours of the style sheet: `--c1` to `--c8`. */
export type Colour = 1 | 2 | 3 | 4 | 5 | 6 | 7 | 8;

export interface Line {
  readonly label: string;
  readonly colour: Colour;
  readonly selector: Selector;
}

export interface PlotProps {
  readonly title: string;
  readonly lines: readonly Line[];
  readonly unit: Unit;
  /** The lines are counters: a second. */
  readonly isRate?: boolean;
  /** One upon the other, the first at the bottom. */
  readonly isStacked?: boolean;
  /** The top of the scale is never lower: a quiet server is to look quiet. */
  readonly least: number;
}

/** Seconds on the horizontal axis. */
const WINDOW_S = 300;
const HEIGHT = 170;
const AXIS_WIDTH = 64;
/** 1, 2, 4 … bytes, KiB, MiB: steps of the scale that are round in these units. */
const BYTE_STEPS = Array.from({ length: 50 }, (_, power) => 2 ** power);

/**
 * Lines over the last five minutes. Its size does not change with what it shows; the figures stand in its legend, those
 * of now, or of the moment under the pointer, which is the same in all plots.
 */
export function Plot(props: PlotProps) {
  const { samples } = useCollector();
  const canvas = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const [pointed, setPointed] = useState<number | null>(null);
  const latest = useRef(props);
  latest.current = props;
  const theme = useTheme();
  const values = props.lines.map(({ selector }) => samples.line(selector));
  const times = samples.times();
  // What it is made of decides whether it has to be made anew.
  const shape = props.lines.map(({ label, colour }) => `${label}:${colour}`).join();

  // The shape stands for the lines.
  useEffect(() => {
    const target = canvas.current!;
    const made = new uPlot(options(latest, target.clientWidth, setPointed), [[]], target);
    plot.current = made;
    const resized = new ResizeObserver(() => {
      if (target.clientWidth > 0) made.setSize({ width: target.clientWidth, height: HEIGHT });
    });
    resized.observe(target);
    return () => {
      resized.disconnect();
      made.destroy();
      plot.current = null;
    };
  }, [shape, theme, props.isStacked]);

  // Drawn anew when a sample has come, not when it is pointed at.
  useEffect(() => {
    plot.current?.setData([times, ...(props.isStacked ? stacked(values) : values)]);
  }, [samples.version, shape, theme, props.isStacked]);

  const at = pointed !== null && pointed < times.length ? pointed : times.length - 1;
  return (
    <figure class="panel plot">
      <figcaption>
        <h2>{props.title}</h2>
        <time class="quiet">{pointed !== null && at >= 0 ? clockTime(times[at]! * 1000) : ''}</time>
      </figcaption>
      <div class="plot-canvas" ref={canvas} />
      <ul class="legend">
        {props.lines.map(({ label, colour }, index) => (
          <li key={label}>
            <i class={`swatch c${colour}`} />
            <span>{label}</span>
            <b>{figure(values[index]![at] ?? null, props.unit, props.isRate)}</b>
          </li>
        ))}
      </ul>
    </figure>
  );
}

/** Each line upon those before it. */
function stacked(values: readonly Point[][]): Point[][] {
  const sums: Point[][] = [];
  let below: Point[] | null = null;
  for (const line of values) {
    const under: Point[] | null = below;
    const sum: Point[] = line.map((value, index) => {
      const base = under === null ? 0 : under[index]!;
      return value === null || base === null ? base : base + value;
    });
    sums.push(sum);
    below = sum;
  }
  return sums;
}

/** Counts the changes between light and dark: the canvas has to be drawn in the other colours. */
function useTheme(): number {
  const [changes, setChanges] = useState(0);
  useEffect(() => {
    const query = matchMedia('(prefers-color-scheme: dark)');
    const changed = (): void => setChanges((count) => count + 1);
    query.addEventListener('change', changed);
    return () => query.removeEventListener('change', changed);
  }, []);
  return changes;
}

function colour(name: string): string {
  return getComputedStyle(document.documentElement).getPropertyValue(`--${name}`).trim();
}

function options(
  latest: { readonly current: PlotProps },
  width: number,
  onPointed: (index: number | null) => void,
): uPlot.Options {
  const { lines, isStacked = false } = latest.current;
  const axis: uPlot.Axis = {
    stroke: colour('quiet'),
    font: '11px system-ui, sans-serif',
    grid: { stroke: colour('grid'), width: 1 },
    ticks: { show: false },
  };
  return {
    width,
    height: HEIGHT,
    padding: [8, 10, 0, 0],
    legend: { show: false },
    cursor: { sync: { key: 'rookery' }, drag: { x: false, y: false }, y: false, points: { size: 6 } },
    scales: {
      // The window moves, it does not grow: a page that was just opened is not redrawn in another scale each second.
      x: {
        range: (self) => {
          const end = self.data[0].at(-1) ?? 0;
          return [end - WINDOW_S, end];
        },
      },
      y: { range: (_self, _least, most) => [0, Math.max(latest.current.least, (most ?? 0) * 1.08)] },
    },
    axes: [
      {
        ...axis,
        size: 26,
        space: 70,
        values: (_self, splits) => splits.map((at) => clockTime(at * 1000).slice(0, 5)),
        incrs: [60, 120, 300],
      },
      {
        ...axis,
        size: AXIS_WIDTH,
        space: 34,
        ...(latest.current.unit === 'By' ? { incrs: BYTE_STEPS } : {}),
        values: (_self, splits) =>
          splits.map((value) => figure(value, latest.current.unit, latest.current.isRate)),
      },
    ],
    series: [
      {},
      ...lines.map(({ label, colour: number }, index): uPlot.Series => {
        const stroke = colour(`c${number}`);
        const isArea = isStacked ? index === 0 : lines.length === 1;
        return {
          label,
          stroke,
          width: isStacked ? 1 : 1.75,
          points: { show: false },
          ...(isArea ? { fill: translucent(stroke, isStacked ? '99' : '22') } : {}),
        };
      }),
    ],
    bands: isStacked
      ? lines.slice(1).map((line, index) => ({
          series: [index + 2, index + 1] as [number, number],
          fill: translucent(colour(`c${line.colour}`), '99'),
        }))
      : [],
    hooks: {
      setCursor: [
        (self) => {
          onPointed(self.cursor.idx ?? null);
        },
      ],
    },
  };
}

function translucent(hex: string, alpha: string): string {
  return `${hex}${alpha}`;
}
