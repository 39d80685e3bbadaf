// The ranked lines: sorted, searched, filtered, copied. Rows are made as they are asked for, so 30,000 lines stay quick.
import type { Line, Metric, Report } from "./data";
import { bdi, h, replace, shorten } from "./dom";
import { type Patterns, patternTitle } from "./patterns";
import { matches, searchWords } from "./search";
import type { State, Store } from "./state";
import { swatch } from "./toolbar";
import { formatBytes, formatCount, formatShare, plural } from "./units";

const PAGE = 100;

interface Column {
  key: string;
  title: string;
  class: string;
  /** order of two lines, the natural direction first */
  compare: (a: Line, b: Line) => number;
}

const byText = (text: (line: Line) => string) => (a: Line, b: Line) =>
  text(a) < text(b) ? -1 : text(a) > text(b) ? 1 : 0;
const byRank = (a: Line, b: Line) => (a.rank ?? Number.MAX_SAFE_INTEGER) - (b.rank ?? Number.MAX_SAFE_INTEGER);
const byPlace = (a: Line, b: Line) => byText((line) => line.file)(a, b) || a.line - b.line;

export class LinesTable {
  readonly element: HTMLElement;
  readonly result = h("span", { class: "result quiet", attrs: { role: "status", "aria-live": "polite" } });
  private readonly columns: readonly Column[];
  private readonly body = h("tbody", { attrs: { role: "rowgroup" } });
  private readonly foot = h("tfoot", { attrs: { role: "rowgroup" } });
  private readonly head = h("tr");
  private readonly more = h("button", {
    class: "show-more",
    attrs: { type: "button" },
    on: { click: () => this.grow() },
  });
  private readonly sorter: HTMLSelectElement;
  private shown: readonly Line[] = [];
  private limit = PAGE;

  constructor(
    private readonly report: Report,
    private readonly patterns: Patterns,
    private readonly store: Store,
  ) {
    this.columns = this.makeColumns();
    this.sorter = h("select", {
      attrs: { "aria-label": "Sort lines by" },
      on: { change: () => store.set({ sort: this.sorter.value }) },
    });
    replace(
      this.sorter,
      ...this.columns.map((column) =>
        h("option", { attrs: { value: column.key } }, `by ${column.key === "rank" ? "rank" : column.title}`),
      ),
    );
    const table = h(
      "table",
      { class: report.hasBytes ? "lines" : "lines static", attrs: { role: "table", "aria-label": "Lines, ranked" } },
      h("thead", { attrs: { role: "rowgroup" } }, this.head),
      this.body,
      this.foot,
    );
    this.element = h("div", "lines-view", h("div", "sorter", this.sorter), table, this.more);
    this.body.addEventListener("click", (event) => this.click(event));
    this.body.addEventListener("keydown", (event) => this.key(event));
    this.update(store.state);
    store.listen((state, changed) => {
      const isFilter = ["query", "patterns", "package", "sort", "by"].some((key) => changed.has(key as keyof State));
      if (isFilter) this.limit = PAGE;
      if (isFilter) this.update(state);
      else if (changed.has("finding")) this.mark();
    });
  }

  /** The filtered table as tab-separated text. A cell that a spreadsheet would run as a formula is quoted. */
  tsv(): string {
    const cell = (value: string | number | null) => {
      const text = String(value ?? "").replace(/[\t\r\n\u2028\u2029]/g, " ");
      return typeof value === "string" && /^[=+\-@]/.test(text) ? `'${text}` : text;
    };
    const names = ["rank", "file", "line", "function", "package", "patterns", "why", "inuse_bytes", "alloc_bytes"];
    const rows = this.shown.map((line) => [
      line.rank,
      line.file,
      line.line,
      line.function,
      line.package,
      [...new Set(line.findings.map((finding) => this.report.text(finding.pattern)))].join(" "),
      line.findings.map((finding) => this.report.text(finding.message)).join("; "),
      line.bytes.inuse,
      line.bytes.alloc,
    ]);
    return [names, ...rows].map((row) => row.map(cell).join("\t")).join("\n");
  }

  get count(): number {
    return this.shown.length;
  }

  /** The lines before and after a line, in the order of the table. */
  neighbours(line: Line): { before: Line | undefined; after: Line | undefined } {
    const at = this.shown.indexOf(line);
    return { before: at > 0 ? this.shown[at - 1] : undefined, after: at < 0 ? undefined : this.shown[at + 1] };
  }

  focusRow(line?: Line): void {
    const links = [...this.body.querySelectorAll<HTMLElement>("a.place")];
    const wanted = line && this.shown.indexOf(line);
    (links[wanted && wanted >= 0 ? wanted : 0] ?? links[0])?.focus();
  }

  private makeColumns(): readonly Column[] {
    const bytes = (metric: Metric) => (a: Line, b: Line) =>
      (b.bytes[metric] ?? -1) - (a.bytes[metric] ?? -1) || byRank(a, b);
    const why = (line: Line) => this.report.text(line.findings[0]?.message ?? -1);
    return [
      { key: "rank", title: "#", class: "rank", compare: byRank },
      ...(this.report.hasBytes
        ? [
            { key: "inuse", title: this.label("inuse"), class: "bytes", compare: bytes("inuse") },
            { key: "alloc", title: this.label("alloc"), class: "bytes", compare: bytes("alloc") },
          ]
        : []),
      { key: "line", title: "line", class: "where", compare: byPlace },
      { key: "function", title: "function", class: "function", compare: byText((line) => line.function) },
      { key: "why", title: "why it is on the heap", class: "why", compare: byText(why) },
    ];
  }

  private update(state: State): void {
    const words = searchWords(state.query);
    const filtered = this.report.lines.filter(
      (line) =>
        (!state.package || line.package === state.package) &&
        (!state.patterns.size ||
          line.findings.some((finding) => state.patterns.has(this.report.text(finding.pattern)))) &&
        matches(line.haystack, words),
    );
    const [key, isReversed] = state.sort.startsWith("-") ? [state.sort.slice(1), true] : [state.sort, false];
    const chosen = this.columns.find((column) => column.key === (key === "bytes" ? state.by : key));
    const compare = chosen?.compare ?? byRank;
    filtered.sort((a, b) => (isReversed ? compare(b, a) : compare(a, b)));
    this.shown = filtered;
    this.sorter.value = chosen?.key ?? "rank";
    this.drawHead(chosen?.key ?? "rank", isReversed);
    this.drawRows();
    this.drawFoot();
    this.drawResult();
  }

  private drawHead(active: string, isReversed: boolean): void {
    const focused = this.head.contains(document.activeElement)
      ? document.activeElement?.getAttribute("data-sort")
      : null;
    this.head.setAttribute("role", "row");
    replace(
      this.head,
      ...this.columns.map((column) => {
        const isActive = column.key === active;
        const falls = column.key === "inuse" || column.key === "alloc" ? !isReversed : isReversed;
        const sort = isActive ? (falls ? "descending" : "ascending") : "none";
        return h(
          "th",
          { class: column.class, attrs: { scope: "col", role: "columnheader", "aria-sort": sort } },
          h(
            "button",
            {
              attrs: { type: "button", "data-sort": column.key },
              on: { click: () => this.store.set({ sort: isActive && !isReversed ? `-${column.key}` : column.key }) },
            },
            column.title,
            h("span", { class: "arrow", attrs: { "aria-hidden": "true" } }, isActive ? (falls ? "▾" : "▴") : ""),
          ),
        );
      }),
    );
    if (focused) this.head.querySelector<HTMLElement>(`[data-sort="${CSS.escape(focused)}"]`)?.focus();
  }

  private drawRows(): void {
    const rows = this.shown.slice(0, this.limit).map((line, index) => this.row(line, index === 0));
    if (!rows.length) {
      const text = this.report.lines.length
        ? "No line matches. Clear the search or the filters."
        : "There are no findings.";
      rows.push(h("tr", {}, h("td", { class: "nothing", attrs: { colspan: this.columns.length } }, text)));
    }
    replace(this.body, ...rows);
    this.drawMore();
    this.mark();
  }

  private grow(): void {
    const from = this.limit;
    this.limit += PAGE * 5;
    this.body.append(...this.shown.slice(from, this.limit).map((line) => this.row(line, false)));
    this.drawMore();
    this.mark();
    this.body.querySelectorAll<HTMLElement>("a.place")[from]?.focus();
  }

  private drawMore(): void {
    const rest = this.shown.length - this.limit;
    this.more.hidden = rest <= 0;
    replace(this.more, `Show ${formatCount(Math.min(rest, PAGE * 5))} more of ${formatCount(rest)}`);
  }

  private row(line: Line, isEntry: boolean): HTMLTableRowElement {
    const { report } = this;
    const finding = line.findings[0];
    const place = h(
      "a",
      {
        class: "place mono",
        attrs: { href: this.store.link({ finding: finding?.id ?? "" }), tabindex: isEntry ? 0 : -1 },
      },
      bdi(shorten(line.file, 70)),
      h("span", "colon", `:${line.line}`),
    );
    const row = h(
      "tr",
      { class: line.rank === null ? "unranked" : "", attrs: { role: "row" } },
      h("td", { class: "rank", attrs: { role: "cell" } }, line.rank === null ? "–" : formatCount(line.rank)),
      ...(report.hasBytes ? [this.bytesCell(line, "inuse"), this.bytesCell(line, "alloc")] : []),
      h("td", { class: "where", attrs: { role: "cell" } }, place),
      h("td", { class: "function mono", attrs: { role: "cell" } }, bdi(line.function, 90)),
      h("td", { class: "why", attrs: { role: "cell" } }, h("div", "reasons-cell", ...this.reasons(line))),
    );
    row.dataset.finding = finding?.id ?? "";
    return row;
  }

  private reasons(line: Line): HTMLElement[] {
    const first = line.findings[0];
    if (!first) return [];
    const pattern = this.report.text(first.pattern);
    const others = line.findings.length - 1;
    return [
      h("span", "reason", swatch(this.patterns.slot(pattern)), bdi(this.report.text(first.message), 160)),
      h("span", "pattern quiet", bdi(patternTitle(pattern), 60), others ? `, ${plural(others, "more reason")}` : ""),
    ];
  }

  private bytesCell(line: Line, metric: Metric): HTMLElement {
    const bytes = line.bytes[metric];
    const attrs = { role: "cell", "data-label": this.label(metric) };
    if (!bytes) return h("td", { class: "bytes quiet", attrs }, "–");
    const share = bytes / (this.report.whole[metric] || 1);
    const cell = h(
      "td",
      { class: "bytes", attrs },
      h("span", "amount", this.amount(bytes, metric)),
      h("span", "share", formatShare(share)),
    );
    cell.style.setProperty("--weight", String(Math.min(share, 1)));
    return cell;
  }

  private label(metric: Metric): string {
    if (metric === "inuse") return "in use now";
    return this.report.data.totals.window ? "alloc rate" : "allocated";
  }

  private amount(bytes: number, metric: Metric): string {
    const window = this.report.data.totals.window;
    return metric === "alloc" && window ? `${formatBytes(bytes / window)}/s` : formatBytes(bytes);
  }

  /** What no finding carries stands under the ranked lines, as a row of its own. */
  private drawFoot(): void {
    const { profile, explained } = this.report.data.totals;
    if (!profile || !this.report.hasBytes) {
      replace(this.foot);
      return;
    }
    const cells = (["inuse", "alloc"] as const).map((metric, index) => {
      const rest = Math.max((profile[index] ?? 0) - (explained?.[index] ?? 0), 0);
      return h(
        "td",
        { class: "bytes", attrs: { role: "cell", "data-label": this.label(metric) } },
        h("span", "amount", this.amount(rest, metric)),
        h("span", "share", formatShare(rest / (this.report.whole[metric] || 1))),
      );
    });
    const name = h(
      "td",
      { class: "where", attrs: { colspan: 3, role: "cell" } },
      "unexplained: on no line of your code",
    );
    replace(this.foot, h("tr", { attrs: { role: "row" } }, h("td", { class: "rank" }), ...cells, name));
  }

  private drawResult(): void {
    const { shown, report } = this;
    const isAll = shown.length === report.lines.length;
    const lines = isAll
      ? plural(shown.length, "line")
      : `${formatCount(shown.length)} of ${plural(report.lines.length, "line")}`;
    replace(this.result, lines);
  }

  private mark(): void {
    const { finding } = this.store.state;
    const id = this.report.lineWith(finding)?.findings[0]?.id;
    for (const row of this.body.rows) {
      const isChosen = id !== undefined && row.dataset.finding === id;
      row.classList.toggle("chosen", isChosen);
      row.querySelector("a.place")?.setAttribute("aria-current", String(isChosen));
    }
  }

  private click(event: MouseEvent): void {
    const target = event.target instanceof Element ? event.target : null;
    const row = target?.closest("tr");
    if (!row?.dataset.finding || event.metaKey || event.ctrlKey || event.shiftKey) return;
    if (getSelection()?.toString()) return;
    event.preventDefault();
    this.store.set({ finding: row.dataset.finding });
  }

  private key(event: KeyboardEvent): void {
    const steps: Record<string, number> = { ArrowDown: 1, ArrowUp: -1, Home: -1e9, End: 1e9 };
    const step = steps[event.key];
    if (step === undefined) return;
    const links = [...this.body.querySelectorAll<HTMLElement>("a.place")];
    const at = links.indexOf(document.activeElement as HTMLElement);
    const next = links[Math.min(Math.max(at + step, 0), links.length - 1)];
    if (!next) return;
    for (const link of links) link.tabIndex = link === next ? 0 : -1;
    next.focus();
    next.closest("tr")?.scrollIntoView({ block: "nearest" });
    event.preventDefault();
    if (this.store.state.finding) {
      const finding = next.closest("tr")?.dataset.finding;
      if (finding) this.store.set({ finding });
    }
  }
}
