// The flame graph with its detail line: what is under the pointer or the keyboard's focus, and the way out of a zoom.
import type { Line, Report } from "./data";
import { bdi, h, replace } from "./dom";
import { FlameModel } from "./flame_model";
import { FlameView } from "./flame_view";
import { type Patterns, patternTitle } from "./patterns";
import { searchWords } from "./search";
import type { Store } from "./state";
import { formatBytes, formatCount, formatShare } from "./units";

const WIDE = 1180;

export class FlameTab {
  readonly element = h("div", "flame-view");
  readonly result = h("span", { class: "result quiet", attrs: { role: "status", "aria-live": "polite" } });
  private readonly detail = h("div", { class: "flame-detail", attrs: { id: "flame-detail", "aria-live": "polite" } });
  private model: FlameModel | undefined;
  private view: FlameView | undefined;
  private focused = 0;

  constructor(
    private readonly report: Report,
    private readonly patterns: Patterns,
    private readonly store: Store,
  ) {
    if (!report.data.flame?.frame.length) {
      this.element.append(
        h("p", "nothing", "There is no flame graph: it needs a heap profile. Add a URL, a pid or a profile."),
      );
    }
    store.listen((state, changed) => {
      const isMine = ["view", "by", "query", "patterns", "frame"].some((key) => changed.has(key as never));
      if (isMine && state.view === "flame") this.update();
    });
  }

  /** Build the graph when it is first looked at. */
  update(): void {
    const columns = this.report.data.flame;
    if (!columns?.frame.length) return;
    if (!this.model || !this.view) {
      this.model = new FlameModel(this.report, columns);
      this.view = new FlameView(this.model, {
        slot: (pattern) => this.patterns.slot(pattern),
        describe: (node) => this.describe(node),
        zoom: (node) => this.zoom(node),
        open: (node) => this.open(node),
        focus: (node) => this.focus(node),
      });
      replace(this.element, this.detail, this.view.element);
    }
    const { by, query, patterns, frame } = this.store.state;
    const words = searchWords(query);
    const found = words.length ? this.model.search(words, by) : undefined;
    const zoom = frame < this.model.size ? frame : 0;
    this.view.update({ metric: by, zoom, hit: found?.hit, patterns });
    this.focus(zoom);
    const whole = this.model.value(0, by) || 1;
    replace(
      this.result,
      found
        ? `${formatCount(found.count)} of ${formatCount(this.model.size)} frames, ${formatShare(found.bytes / whole)} of bytes`
        : `${formatCount(this.model.size)} frames`,
    );
  }

  redraw(): void {
    this.view?.paint();
  }

  private line(node: number): Line | undefined {
    const { model } = this;
    return model && this.report.lineAt(model.file(node), model.line(node));
  }

  private describe(node: number): { title: string; lines: readonly string[] } {
    const { model } = this;
    if (!model) return { title: "", lines: [] };
    const { by } = this.store.state;
    const value = model.value(node, by);
    const what = by === "inuse" ? "in use now" : "allocated";
    const share = `${formatShare(value / (model.value(0, by) || 1))} of all`;
    const zoom = this.store.state.frame;
    const inner = zoom ? `, ${formatShare(value / (model.value(zoom, by) || 1))} of what is shown` : "";
    const place = model.file(node) ? `${model.file(node)}:${model.line(node)}` : "";
    const pattern = model.pattern(node);
    const message = this.line(node)?.findings[0]?.message;
    const reason = message === undefined ? patternTitle(pattern) : this.report.text(message);
    return {
      title: model.name(node),
      lines: [`${formatBytes(value)} ${what}, ${share}${inner}`, place, pattern && reason].filter(Boolean),
    };
  }

  private focus(node: number): void {
    const { model } = this;
    if (!model) return;
    this.focused = node;
    const { title, lines } = this.describe(node);
    const button = (text: string, act: () => void, key: string) =>
      h(
        "button",
        { attrs: { type: "button", "aria-keyshortcuts": key, title: `key: ${key}` }, on: { click: act } },
        text,
      );
    replace(
      this.detail,
      h("div", "what", h("strong", "mono", bdi(title, 160)), h("span", "quiet", bdi(lines.join("  ·  "), 400))),
      h(
        "div",
        "buttons",
        this.line(node) ? button("Open source", () => this.open(this.focused), "o") : null,
        this.store.state.frame ? button("Zoom out", () => this.zoom(0), "Escape") : null,
      ),
    );
  }

  private zoom(node: number): void {
    const line = this.line(node);
    const opens = line && (innerWidth >= WIDE || node === this.store.state.frame);
    this.store.set({ frame: node, finding: opens ? (line.findings[0]?.id ?? "") : this.store.state.finding });
  }

  private open(node: number): void {
    const finding = this.line(node)?.findings[0];
    if (finding) this.store.set({ finding: finding.id });
  }
}
