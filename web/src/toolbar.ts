// Search, inuse/alloc switch, package filter, and the legend, which is a filter too.
import type { Metric, Report } from "./data";
import { bdi, h, replace, visible } from "./dom";
import { type Patterns, patternTitle } from "./patterns";
import type { Store } from "./state";
import { formatCount } from "./units";

export const METRIC_TITLES: Record<Metric, string> = { inuse: "in use now", alloc: "allocated" };
const LEGEND_SHOWN = 12;

export class Toolbar {
  readonly element: HTMLElement;
  readonly search: HTMLInputElement;
  private readonly legend: HTMLElement;
  private readonly metrics = new Map<Metric, HTMLButtonElement>();
  private readonly packages: HTMLSelectElement;
  private isLegendOpen = false;

  constructor(
    private readonly report: Report,
    private readonly patterns: Patterns,
    private readonly store: Store,
    result: HTMLElement,
    copy: HTMLElement,
  ) {
    this.search = h("input", {
      attrs: {
        type: "search",
        id: "search",
        placeholder: "Search function, file, pattern",
        "aria-label": "Search function, file, pattern (key: /)",
        autocomplete: "off",
        spellcheck: "false",
        "aria-keyshortcuts": "/",
      },
      on: { input: () => store.set({ query: this.search.value }) },
    });
    this.packages = this.packageSelect();
    this.legend = h("div", { class: "legend", attrs: { role: "group", "aria-label": "Filter by pattern" } });
    this.element = h(
      "div",
      "toolbar",
      h(
        "div",
        "controls",
        h("div", "search", this.search, h("kbd", { attrs: { "aria-hidden": "true" } }, "/")),
        report.hasBytes || report.data.flame ? this.metricSwitch() : null,
        this.packages.options.length > 2 ? this.packages : null,
        result,
        copy,
      ),
      this.legend,
    );
    this.update();
    store.listen(() => this.update());
  }

  private update(): void {
    const { state } = this.store;
    if (this.search.value !== state.query) this.search.value = state.query;
    this.packages.value = state.package;
    for (const [metric, button] of this.metrics) button.setAttribute("aria-pressed", String(metric === state.by));
    this.drawLegend();
  }

  private metricSwitch(): HTMLElement {
    const button = (metric: Metric) => {
      const element = h(
        "button",
        { attrs: { type: "button", "data-metric": metric }, on: { click: () => this.choose(metric) } },
        METRIC_TITLES[metric],
      );
      this.metrics.set(metric, element);
      return element;
    };
    const attrs = { role: "group", "aria-label": "Bytes to show" };
    return h("div", { class: "segments", attrs }, button("inuse"), button("alloc"));
  }

  /** The table follows the switch: its rank is by the column that the report was ranked by. */
  private choose(metric: Metric): void {
    const isRanked = metric === (this.report.data.totals.rankedBy === "alloc" ? "alloc" : "inuse");
    this.store.set({ by: metric, sort: isRanked ? "rank" : metric });
  }

  private packageSelect(): HTMLSelectElement {
    const counts = new Map<string, number>();
    for (const line of this.report.lines) counts.set(line.package, (counts.get(line.package) ?? 0) + 1);
    const names = [...counts.keys()].sort();
    return h(
      "select",
      {
        attrs: { "aria-label": "Filter by package" },
        on: { change: () => this.store.set({ package: this.packages.value }) },
      },
      h("option", { attrs: { value: "" } }, "all packages"),
      ...names.slice(0, 2000).map((name) => {
        const option = h(
          "option",
          {},
          `${visible(name).slice(-70) || "(none)"} (${formatCount(counts.get(name) ?? 0)})`,
        );
        option.value = name;
        return option;
      }),
    );
  }

  private drawLegend(): void {
    const { patterns: chosen } = this.store.state;
    const active = document.activeElement instanceof HTMLElement ? document.activeElement.dataset.pattern : undefined;
    const rows = this.patterns.rows;
    const shown = this.isLegendOpen ? rows : rows.filter((row, index) => index < LEGEND_SHOWN || chosen.has(row.slug));
    const more = h(
      "button",
      {
        class: "chip quiet",
        attrs: { type: "button" },
        on: {
          click: () => {
            this.isLegendOpen = !this.isLegendOpen;
            this.drawLegend();
          },
        },
      },
      this.isLegendOpen ? "fewer" : `${rows.length - shown.length} more`,
    );
    const clear = h(
      "button",
      { class: "chip quiet", attrs: { type: "button" }, on: { click: () => this.store.set({ patterns: new Set() }) } },
      "all patterns",
    );
    replace(
      this.legend,
      ...shown.map((row) => this.chip(row.slug, row.slot, row.lines)),
      rows.length > shown.length || this.isLegendOpen ? more : null,
      chosen.size ? clear : null,
    );
    if (active === undefined) return;
    for (const chip of this.legend.querySelectorAll("button")) if (chip.dataset.pattern === active) chip.focus();
  }

  private chip(slug: string, slot: number, lines: number): HTMLElement {
    const chosen = this.store.state.patterns;
    const button = h(
      "button",
      {
        class: "chip",
        attrs: { type: "button", "aria-pressed": String(chosen.has(slug)) },
        on: { click: () => this.toggle(slug) },
      },
      swatch(slot),
      bdi(patternTitle(slug), 48),
      h("span", "count", formatCount(lines)),
    );
    button.dataset.pattern = slug;
    return button;
  }

  private toggle(slug: string): void {
    const next = new Set(this.store.state.patterns);
    if (!next.delete(slug)) next.add(slug);
    this.store.set({ patterns: next });
  }
}

export function swatch(slot: number): HTMLElement {
  return h("span", { class: `swatch s${slot}`, attrs: { "aria-hidden": "true" } });
}
