// Which handler or goroutine costs what.
import type { Metric, Report } from "./data";
import { bdi, h, replace } from "./dom";
import { shortName } from "./flame_model";
import { matches, searchWords } from "./search";
import type { Store } from "./state";
import { formatBytes, formatShare } from "./units";

export class EntryPoints {
  readonly element = h("div", "entries-view");

  constructor(
    private readonly report: Report,
    private readonly store: Store,
  ) {
    this.draw();
    store.listen((_, changed) => {
      if (changed.has("query") || changed.has("by")) this.draw();
    });
  }

  private draw(): void {
    const { by, query } = this.store.state;
    const column = by === "inuse" ? 2 : 3;
    const words = searchWords(query);
    const rows = this.report.data.entries
      .filter((entry) => matches(`${entry[0]}\n${entry[1]}`.toLowerCase(), words))
      .sort((a, b) => b[column] - a[column]);
    if (!rows.length) {
      const none = this.report.data.entries.length
        ? "No entry point matches the search."
        : "No entry points are known: they come from a profile.";
      replace(this.element, h("p", "nothing", none));
      return;
    }
    const th = (title: string, name: string) =>
      h("th", { class: name, attrs: { scope: "col", role: "columnheader" } }, title);
    const alloc = this.report.data.totals.window ? "alloc rate" : "allocated";
    replace(
      this.element,
      h("p", "quiet", "The first function of your code in each stack: the handler, the goroutine, main."),
      h(
        "table",
        { class: "entries", attrs: { role: "table", "aria-label": "Bytes by entry point" } },
        h(
          "thead",
          {},
          h(
            "tr",
            { attrs: { role: "row" } },
            th("in use now", "bytes"),
            th(alloc, "bytes"),
            th("entry point", "function"),
            th("kind", "kind"),
          ),
        ),
        h(
          "tbody",
          {},
          ...rows.map(([name, kind, inuse, allocated]) =>
            h(
              "tr",
              { attrs: { role: "row" } },
              this.bytes(inuse, "inuse"),
              this.bytes(allocated, "alloc"),
              h(
                "td",
                { class: "function mono", attrs: { role: "cell", title: name.slice(0, 400) } },
                this.report.data.flame
                  ? h(
                      "a",
                      {
                        attrs: {
                          href: this.store.link({ view: "flame", query: name.slice(0, 300), finding: "", frame: 0 }),
                        },
                      },
                      bdi(shortName(name), 120),
                    )
                  : bdi(shortName(name), 120),
              ),
              h("td", { class: "kind", attrs: { role: "cell" } }, bdi(kind, 40)),
            ),
          ),
        ),
      ),
    );
  }

  private bytes(bytes: number, metric: Metric): HTMLElement {
    const { window } = this.report.data.totals;
    const share = bytes / (this.report.whole[metric] || 1);
    const amount = metric === "alloc" && window ? `${formatBytes(bytes / window)}/s` : formatBytes(bytes);
    const attrs = {
      role: "cell",
      "data-label": metric === "inuse" ? "in use now" : window ? "alloc rate" : "allocated",
    };
    const cell = h(
      "td",
      { class: "bytes", attrs },
      h("span", "amount", amount),
      h("span", "share", formatShare(share)),
    );
    cell.style.setProperty("--weight", String(Math.min(share, 1)));
    return cell;
  }
}
