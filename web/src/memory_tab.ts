// Where the process's memory went: the account of the last moment, the same over time against the limit, and events.
import { AccountTable } from "./account_table";
import type { PageData } from "./data";
import { bdi, h, replace } from "./dom";
import { memoryCharts } from "./memory_charts";
import type { EventRow } from "./memory_data";
import { plural } from "./units";

export class MemoryTab {
  readonly element = h("div", "memory-view");
  private readonly charts = h("div", "memory-charts");
  private isDrawn = false;

  constructor(private readonly data: PageData) {
    const { memory, gauges } = data;
    if (!memory.account && !gauges.length && !memory.events.length) {
      const hint = "No process was observed. Add a URL or pid:N, or record it: whyheap record TARGET -o FILE.whyheap";
      this.element.append(h("p", "nothing", hint));
      return;
    }
    replace(
      this.element,
      memory.account ? new AccountTable(memory.account).element : null,
      this.charts,
      memory.events.length ? this.events() : null,
    );
    addEventListener("resize", () => this.redraw());
  }

  /** Draw when it is first looked at: a hidden element has no width. */
  update(): void {
    if (this.isDrawn || this.element.hidden) return;
    this.isDrawn = true;
    replace(this.charts, ...memoryCharts(this.data, this.element.clientWidth || 900));
  }

  redraw(): void {
    if (!this.isDrawn) return;
    this.isDrawn = false;
    this.update();
  }

  private events(): HTMLElement {
    const { events, eventsLeftOut } = this.data.memory;
    return h(
      "section",
      { class: "events", attrs: { "aria-label": "Events" } },
      h("h3", {}, "What happened"),
      eventsLeftOut ? h("p", "quiet", `${plural(eventsLeftOut, "earlier event")}: see the JSON report.`) : null,
      h("ul", {}, ...events.map(eventRow)),
    );
  }
}

function eventRow([kind, seconds, text, witness]: EventRow): HTMLElement {
  const at = seconds === null ? "" : `${new Date(seconds * 1000).toISOString().slice(0, 19).replace("T", " ")} UTC`;
  return h(
    "li",
    { attrs: { "data-kind": kind } },
    h("span", "at quiet mono", at || "time unknown"),
    h("span", "said", bdi(text, 600)),
    h("span", "who quiet", bdi(witness, 40)),
  );
}
