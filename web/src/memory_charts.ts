// Memory over time: kinds of memory stacked below the limit, then goroutines and the collector, on one clock.
import uPlot from "uplot";
import type { GaugeSeries, PageData } from "./data";
import { h } from "./dom";
import { partSlot } from "./memory_colours";
import type { EventRow } from "./memory_data";
import { formatBytes, formatCount, formatShare } from "./units";

type Column = (number | null)[];
interface Curve {
  label: string;
  colour: string;
  values: Column;
  /** what the legend says where the drawn value is a sum */
  own?: Column;
  filled?: boolean;
  dashed?: boolean;
  spell: (value: number) => string;
}

/** Distances of ticks that read well in KiB, MiB and GiB. */
const BINARY_STEPS = Array.from({ length: 44 }, (_, power) => 2 ** power);

/** Distances of ticks in seconds, up to days. */
const TIME_STEPS = [
  1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 21_600, 43_200, 86_400, 604_800,
];

const LIMITS: readonly (readonly [name: string, label: string])[] = [
  ["container_limit", "limit"],
  ["memory_limit", "GOMEMLIMIT"],
];
const LINES: readonly (readonly [name: string, label: string, slot: number])[] = [
  ["container_charge", "charged", 0],
  ["rss", "RSS", 5],
  ["heap_goal", "heap goal", 3],
  ["heap_alloc", "heap", 4],
];

export function memoryCharts(data: PageData, width: number): HTMLElement[] {
  const style = getComputedStyle(document.documentElement);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim() || "#888888";
  const bySeries = new Map(data.gauges.map((one) => [one.name, one]));
  const times = clock(data.gauges, data.memory.timeline?.seconds ?? []);
  if (times.length < 2) return [];
  const at = (name: string): Column | null => {
    const series = bySeries.get(name);
    return series && series.values.length > 1 ? aligned(series, times) : null;
  };
  const charts: HTMLElement[] = [];
  const memory = [...stacked(data, times, colour), ...lines(data, at, colour)];
  if (memory.length) charts.push(chart("Memory", times, memory, data.memory.events, colour, width, 260));
  const goroutines: Curve[] = [];
  for (const [name, label, slot] of [
    ["goroutines", "goroutines", 2],
    ["threads", "threads", 7],
  ] as const) {
    const values = at(name);
    if (values) goroutines.push({ label, colour: colour(`p${slot}`), values, spell: formatCount });
  }
  if (goroutines.length)
    charts.push(chart("Goroutines and threads", times, goroutines, data.memory.events, colour, width, 120));
  const collector: Curve[] = [];
  const cpu = at("gc_cpu");
  if (cpu) collector.push({ label: "GC's share of CPU", colour: colour("p0"), values: cpu, spell: formatShare });
  const pressure = at("psi_some_avg10");
  if (pressure)
    collector.push({ label: "stalled for memory", colour: colour("p5"), values: pressure, spell: formatShare });
  if (collector.length)
    charts.push(chart("Collector and pressure", times, collector, data.memory.events, colour, width, 120));
  return charts;
}

/** All moments at which anything was read, ascending. */
function clock(gauges: readonly GaugeSeries[], more: readonly number[]): number[] {
  const all = new Set<number>(more);
  for (const one of gauges) if (one.values.length > 1) for (const second of one.seconds) all.add(second);
  return [...all].sort((a, b) => a - b);
}

function aligned(series: { seconds: readonly number[]; values: readonly number[] }, times: readonly number[]): Column {
  const known = new Map(series.seconds.map((second, index) => [second, series.values[index] ?? null]));
  return times.map((second) => known.get(second) ?? null);
}

/** Kinds of memory, innermost at the bottom, each drawn as the sum up to it. */
function stacked(data: PageData, times: readonly number[], colour: (name: string) => string): Curve[] {
  const { timeline } = data.memory;
  if (!timeline) return [];
  const parts = [
    ...[...timeline.parts].reverse(),
    { slug: "unexplained", title: "unexplained", values: timeline.unexplained },
  ];
  const sums = timeline.seconds.map(() => 0);
  const curves = parts.map((part) => {
    const values = part.values.map((value, index) => {
      sums[index] = (sums[index] ?? 0) + value;
      return sums[index];
    });
    return {
      label: part.title,
      colour: part.slug === "unexplained" ? colour("line") : colour(`p${partSlot(part.slug)}`),
      values: aligned({ seconds: timeline.seconds, values }, times),
      own: aligned({ seconds: timeline.seconds, values: part.values }, times),
      filled: true,
      spell: formatBytes,
    };
  });
  return curves.filter((curve) => curve.own.some((value) => value !== null && value > 0)).reverse();
}

function lines(data: PageData, at: (name: string) => Column | null, colour: (name: string) => string): Curve[] {
  const curves: Curve[] = [];
  const isStacked = data.memory.timeline !== null;
  for (const [name, label, slot] of LINES) {
    if (isStacked && (name === "heap_alloc" || name === "rss")) continue;
    const values = at(name);
    if (values) curves.push({ label, colour: colour(`p${slot}`), values, spell: formatBytes });
  }
  for (const [name, label] of LIMITS) {
    const values = at(name);
    if (values) curves.push({ label, colour: colour("ink"), values, dashed: true, spell: formatBytes });
  }
  return curves;
}

function chart(
  title: string,
  times: readonly number[],
  curves: readonly Curve[],
  events: readonly EventRow[],
  colour: (name: string) => string,
  width: number,
  height: number,
): HTMLElement {
  const quiet = colour("quiet");
  const grid = { stroke: colour("hair"), width: 1 };
  const spell = curves[0]?.spell ?? formatCount;
  const spansDays = (times[times.length - 1] ?? 0) - (times[0] ?? 0) > 86_400;
  const element = h("figure", { class: "memory-chart", attrs: { "aria-label": title } }, h("figcaption", {}, title));
  const plot = new uPlot(
    {
      width,
      height,
      tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
      cursor: { sync: { key: "memory" }, drag: { x: true, y: false } },
      legend: { live: true },
      scales: { y: { range: (_, __, highest) => [0, (highest || 1) * 1.05] } },
      axes: [
        {
          stroke: quiet,
          grid,
          ticks: grid,
          space: 100,
          incrs: TIME_STEPS,
          values: (_, ticks) => ticks.map((tick) => clockTime(tick, spansDays)),
        },
        {
          stroke: quiet,
          grid,
          ticks: grid,
          size: 76,
          values: (_, ticks) => ticks.map((tick) => spell(tick)),
          ...(spell === formatBytes ? { incrs: BINARY_STEPS } : {}),
        },
      ],
      series: [
        {
          label: "UTC",
          value: (_: uPlot, seconds: number | null) => (seconds === null ? "–" : clockTime(seconds, spansDays)),
        },
        ...curves.map((curve) => ({
          label: curve.label,
          stroke: curve.colour,
          width: curve.filled ? 1 : 1.5,
          ...(curve.filled ? { fill: curve.colour } : {}),
          ...(curve.dashed ? { dash: [6, 4] } : {}),
          spanGaps: true,
          points: { show: false },
          value: (_: uPlot, value: number | null, __: number, index: number | null) => {
            const shown = index === null ? null : (curve.own?.[index] ?? value);
            return shown === null || shown === undefined ? "–" : curve.spell(shown);
          },
        })),
      ],
      hooks: { draw: [(drawn) => markEvents(drawn, events, colour("accent"))] },
    },
    [[...times], ...curves.map((curve) => curve.values)] as uPlot.AlignedData,
    element,
  );
  plot.root.setAttribute("role", "img");
  return element;
}

function clockTime(seconds: number, withDay: boolean): string {
  const text = new Date(seconds * 1000).toISOString();
  return withDay ? text.slice(5, 16).replace("T", " ") : text.slice(11, 19);
}

function markEvents(plot: uPlot, events: readonly EventRow[], colour: string): void {
  const { ctx } = plot;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.setLineDash([2 * devicePixelRatio, 3 * devicePixelRatio]);
  for (const [, seconds] of events) {
    if (seconds === null) continue;
    const x = plot.valToPos(seconds, "x", true);
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) continue;
    ctx.beginPath();
    ctx.moveTo(x, plot.bbox.top);
    ctx.lineTo(x, plot.bbox.top + plot.bbox.height);
    ctx.stroke();
  }
  ctx.restore();
}
