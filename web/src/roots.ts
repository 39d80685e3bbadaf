// Where one change takes most values off the heap: the roots of the escape graph, sortable.
import type { Report, RootRow } from "./data";
import { bdi, h, replace } from "./dom";
import { matches, searchWords } from "./search";
import type { Store } from "./state";
import { formatBytes, formatCount, plural } from "./units";

const SHOWN = 300;
type Order = "rank" | "sites" | "title";

export class Roots {
  readonly element = h("div", "entries-view roots-view");
  private order: Order = "rank";

  constructor(
    private readonly report: Report,
    private readonly store: Store,
  ) {
    this.draw();
    store.listen((_, changed) => {
      if (changed.has("query") || changed.has("by")) this.draw();
    });
  }

  private rows(): readonly RootRow[] {
    const { by, query } = this.store.state;
    const words = searchWords(query.replace(/root:\w+/g, ""));
    const bytes = (row: RootRow) => (by === "inuse" ? row[8] : row[9]) ?? 0;
    const text = (row: RootRow) => this.report.text(row[2]);
    const rows = this.report.data.roots.rows.filter((row) =>
      matches(`${text(row)}\n${this.place(row)}\n${this.report.text(row[5])}`.toLowerCase(), words),
    );
    const compare: Record<Order, (a: RootRow, b: RootRow) => number> = {
      rank: (a, b) => bytes(b) - bytes(a) || b[6] - a[6],
      sites: (a, b) => b[6] - a[6],
      title: (a, b) => (text(a) < text(b) ? -1 : 1),
    };
    return [...rows].sort(compare[this.order]);
  }

  private draw(): void {
    const rows = this.rows();
    if (!rows.length) {
      const all = this.report.data.roots.rows.length;
      replace(this.element, h("p", "nothing", all ? "No root matches the search." : "No roots are known."));
      return;
    }
    const left = rows.length - SHOWN + this.report.data.roots.leftOut;
    replace(
      this.element,
      h(
        "p",
        "quiet",
        "One change at each place takes at most this many values off the heap: the compiler prints one way to the heap " +
          "for each value, and one that has a second way stays there.",
      ),
      h(
        "table",
        { class: "entries roots", attrs: { role: "table", "aria-label": "Roots of the escape graph" } },
        h(
          "thead",
          {},
          h(
            "tr",
            { attrs: { role: "row" } },
            this.head("frees at most", "bytes", this.report.hasBytes ? "rank" : "sites"),
            this.head("one change here", "function", "title"),
            this.head("pattern", "kind", null),
          ),
        ),
        h("tbody", {}, ...rows.slice(0, SHOWN).map((row) => this.row(row))),
      ),
      left > 0 ? h("p", "quiet", `${plural(left, "more root")}: search, or see the JSON report.`) : null,
    );
  }

  private head(title: string, name: string, order: Order | null): HTMLElement {
    const attrs = { scope: "col", role: "columnheader", "aria-sort": this.order === order ? "descending" : "none" };
    if (!order) return h("th", { class: name, attrs: { scope: "col", role: "columnheader" } }, title);
    const sort = () => {
      this.order = order;
      this.draw();
    };
    return h(
      "th",
      { class: name, attrs },
      h("button", { class: "link", attrs: { type: "button" }, on: { click: sort } }, title),
    );
  }

  private row(row: RootRow): HTMLElement {
    const [id, , title, , , pattern, sites, files, inuse, alloc] = row;
    const { by } = this.store.state;
    const bytes = by === "inuse" ? inuse : alloc;
    const href = this.store.link({ view: "lines", query: `root:${id}`, finding: "" });
    const count = `${formatCount(sites)} in ${plural(files, "file")}`;
    return h(
      "tr",
      { attrs: { role: "row" } },
      h(
        "td",
        { class: "bytes", attrs: { role: "cell", "data-label": "frees at most" } },
        bytes === null ? null : h("span", "amount", formatBytes(bytes)),
        h("span", bytes === null ? "amount" : "share", count),
      ),
      h(
        "td",
        { class: "function mono", attrs: { role: "cell" } },
        h("a", { attrs: { href } }, bdi(this.report.text(title), 200)),
        h("span", "quiet", " ", bdi(this.place(row), 200)),
      ),
      h("td", { class: "kind", attrs: { role: "cell" } }, bdi(this.report.text(pattern), 60)),
    );
  }

  private place(row: RootRow): string {
    return row[4] ? `${this.report.text(row[3])}:${row[4]}` : "at each call";
  }
}
