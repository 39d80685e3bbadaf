// The source around a finding: its flow as numbered steps with arrows between lines, and what other lines cost.
import type { Finding, Line, Metric, Report, Sentence } from "./data";
import { bdi, h, replace, svg } from "./dom";
import { type Patterns, patternTitle } from "./patterns";
import type { Store } from "./state";
import { swatch } from "./toolbar";
import { formatBytes } from "./units";

const AROUND = 5;
const MERGE = 10;
const EXPAND = 30;
const LANE = 34;
const LONGEST_LINE = 600;
const LONGEST_COST = 26;

interface Mark {
  from: number;
  to: number;
  class: string;
}

export class SourceView {
  readonly element = h("div", "source");
  private readonly lines: readonly string[];
  private readonly shown = new Set<number>();
  private readonly steps = new Map<number, number[]>();
  private readonly code = h("div", "code");
  private readonly costs: ReadonlyMap<number, string>;

  constructor(
    private readonly report: Report,
    private readonly patterns: Patterns,
    private readonly store: Store,
    private readonly line: Line,
    private readonly finding: Finding,
    text: string,
  ) {
    this.lines = text.split(/\r\n|\n/);
    if (this.lines[this.lines.length - 1] === "") this.lines = this.lines.slice(0, -1);
    this.costs = this.costsOfFile();
    this.sentences.forEach(([, file, at], index) => {
      if (report.text(file) !== line.file) return;
      this.steps.set(at, [...(this.steps.get(at) ?? []), index + 1]);
    });
    this.code.classList.toggle("without-steps", !this.steps.size);
    this.code.classList.toggle("without-bytes", !report.hasBytes);
    for (const at of [line.line, ...this.steps.keys()]) this.reveal(at - AROUND, at + AROUND);
    this.closeSmallHoles();
    const attrs = { role: "region", "aria-label": `Source of ${line.place}`, tabindex: 0 };
    this.element.append(h("div", { class: "code-scroller", attrs }, this.code));
    this.draw();
    new ResizeObserver(() => this.drawArrows()).observe(this.code);
  }

  private get sentences(): readonly Sentence[] {
    return this.finding.facts?.[0]?.says ?? [];
  }

  /** Let a step of the chain point at its line. */
  highlight(at: number, isOn: boolean): void {
    this.code.querySelector(`[data-line="${at}"]`)?.classList.toggle("pointed", isOn);
  }

  private reveal(from: number, to: number): void {
    for (let at = Math.max(from, 1); at <= Math.min(to, this.lines.length); at++) this.shown.add(at);
  }

  private closeSmallHoles(): void {
    let last = 0;
    for (const at of [...this.shown].sort((a, b) => a - b)) {
      if (last && at - last > 1 && at - last <= MERGE) this.reveal(last, at);
      last = at;
    }
  }

  private draw(): void {
    const rows: HTMLElement[] = [];
    const numbers = [...this.shown].sort((a, b) => a - b);
    let last = 0;
    for (const at of numbers) {
      if (at - last > 1) rows.push(this.hole(last + 1, at - 1));
      rows.push(this.row(at));
      last = at;
    }
    if (last < this.lines.length) rows.push(this.hole(last + 1, this.lines.length));
    replace(this.code, ...rows);
    this.code.style.setProperty("--digits", String(String(numbers[numbers.length - 1] ?? 1).length));
    const longest = Math.max(0, ...numbers.map((at) => this.costs.get(at)?.length ?? 0));
    this.code.style.setProperty("--cost", String(Math.min(longest, LONGEST_COST)));
    this.drawArrows();
  }

  private hole(from: number, to: number): HTMLElement {
    const count = to - from + 1;
    const open = () => {
      if (count <= EXPAND * 2) this.reveal(from, to);
      else {
        if (from > 1) this.reveal(from, from + EXPAND - 1);
        if (to < this.lines.length) this.reveal(to - EXPAND + 1, to);
      }
      this.draw();
    };
    return h(
      "button",
      { class: "hole", attrs: { type: "button" }, on: { click: open } },
      `⋯ ${count} ${count === 1 ? "line" : "lines"}`,
    );
  }

  private row(at: number): HTMLElement {
    const text = this.lines[at - 1] ?? "";
    const steps = this.steps.get(at) ?? [];
    const isLast = steps.includes(this.sentences.length);
    const label = steps.length > 1 ? `${steps[0]}–${steps[steps.length - 1]}` : String(steps[0] ?? "");
    const row = h(
      "div",
      { class: `code-line${at === this.line.line ? " chosen" : ""}`, attrs: { "data-line": at } },
      h(
        "span",
        { class: steps.length ? "step on" : "step", attrs: { "aria-label": steps.length ? `step ${label}` : null } },
        label,
      ),
      h("span", { class: "number", attrs: { "aria-hidden": "true" } }, String(at)),
      this.text(at, text),
      isLast && this.finding.facts?.[0]?.so ? h("span", "to-heap", "→ heap") : null,
      this.costs.size ? this.cost(at) : null,
    );
    return row;
  }

  private text(at: number, text: string): HTMLElement {
    const marks = this.marks(at, text);
    const cuts = [...new Set([0, text.length, ...marks.flatMap((mark) => [mark.from, mark.to])])]
      .filter((cut) => cut >= 0 && cut <= text.length)
      .sort((a, b) => a - b);
    const code = h("code");
    for (let index = 0; index + 1 < cuts.length; index++) {
      const from = cuts[index] ?? 0;
      const to = cuts[index + 1] ?? 0;
      const over = marks.filter((mark) => mark.from <= from && mark.to >= to);
      const piece = text.slice(from, Math.min(to, from + LONGEST_LINE));
      const classes = [...new Set(over.map((mark) => mark.class))].join(" ");
      code.append(classes ? h("mark", classes, piece) : h("span", {}, piece));
      if (to - from > LONGEST_LINE) code.append(h("span", "quiet", ` … ${to - from - LONGEST_LINE} more characters`));
    }
    return h("bdi", { class: "text", attrs: { dir: "ltr" } }, code);
  }

  /** What the finding and its steps speak of, and what is only a comment. */
  private marks(at: number, text: string): Mark[] {
    const marks: Mark[] = [];
    const comment = text.match(/(^|\s)\/\/.*$/);
    if (comment?.index !== undefined) marks.push({ from: comment.index, to: text.length, class: "comment" });
    if (at === this.line.line && this.finding.column) {
      const subject = this.report.text(this.finding.subject);
      marks.push({ ...extent(text, this.finding.column, subject), class: "subject" });
    }
    for (const fact of this.finding.facts?.slice(0, 1) ?? []) {
      for (const [, , steps] of fact.flow ?? []) {
        for (const [expr, , file, line, column] of steps) {
          if (line !== at || !column || this.report.text(file) !== this.line.file) continue;
          marks.push({ ...extent(text, column, this.report.text(expr)), class: "flow" });
        }
      }
    }
    return marks;
  }

  /** What the lines of the file cost, by number: their bytes, else the name of their pattern. */
  private costsOfFile(): Map<number, string> {
    const by: Metric = this.store.state.by;
    const costs = new Map<number, string>();
    for (let at = 1; at <= this.lines.length; at++) {
      const line = this.report.lineAt(this.line.file, at);
      const first = line?.findings[0];
      if (!line || !first) continue;
      const bytes = line.bytes[by];
      costs.set(at, bytes ? formatBytes(bytes) : patternTitle(this.report.text(first.pattern)));
    }
    return costs;
  }

  /** The cell at the right of a line: it stands still while the text scrolls, and every line has one. */
  private cost(at: number): HTMLElement {
    const text = this.costs.get(at);
    const first = this.report.lineAt(this.line.file, at)?.findings[0];
    if (text === undefined || !first) return h("span", "cost");
    const title = this.report.text(first.message);
    const cell = [swatch(this.patterns.slot(this.report.text(first.pattern))), bdi(text, 40)];
    if (at === this.line.line) return h("span", { class: "cost", attrs: { title } }, ...cell);
    const href = this.store.link({ finding: first.id });
    return h("a", { class: "cost", attrs: { title, href } }, ...cell);
  }

  /** Arrows from each step to the next one on another line, left of the numbers. */
  private drawArrows(): void {
    this.code.querySelector("svg")?.remove();
    const middle = (at: number) => {
      const row = this.code.querySelector<HTMLElement>(`[data-line="${at}"]`);
      return row ? row.offsetTop + row.offsetHeight / 2 : undefined;
    };
    const places = this.sentences.filter(([, file]) => this.report.text(file) === this.line.file).map(([, , at]) => at);
    const jumps = places
      .slice(1)
      .flatMap((to, index) => (places[index] === to ? [] : [[places[index] ?? to, to] as const]));
    if (!jumps.length) return;
    const shapes: SVGElement[] = [];
    jumps.forEach(([from, to], index) => {
      const start = middle(from);
      const end = middle(to);
      if (start === undefined || end === undefined) return;
      const reach = Math.max(LANE - 12 - (index % 3) * 7, 6);
      const x = LANE - 3;
      const down = end > start ? 1 : -1;
      const path = `M ${x} ${start + 3 * down} C ${x - reach} ${start + 3 * down}, ${x - reach} ${end - 2 * down}, ${x - 4} ${end - 2 * down}`;
      shapes.push(svg("path", { d: path, class: "arrow-line" }));
      const y = end - 2 * down;
      shapes.push(svg("path", { d: `M ${x - 7} ${y - 3.5} L ${x} ${y} L ${x - 7} ${y + 3.5} Z`, class: "arrow-head" }));
    });
    const height = this.code.scrollHeight;
    this.code.prepend(
      svg(
        "svg",
        { class: "arrows", width: LANE, height, viewBox: `0 0 ${LANE} ${height}`, "aria-hidden": "true" },
        ...shapes,
      ),
    );
  }
}

/**
 * Where an expression of the compiler stands in a line. Its column may be anywhere inside (the operator, a parenthesis), and
 * the compiler shortens and evaluates what it prints: the longest beginning that the source has as well is taken.
 */
function extent(text: string, column: number, printed: string): { from: number; to: number } {
  const at = charIndex(text, column);
  const expr = printed.slice(0, 400);
  let best = { from: at, to: at };
  for (let from = Math.max(at - expr.length, 0); from <= at; from++) {
    let length = 0;
    while (length < expr.length && from + length < text.length && expr[length] === text[from + length]) length++;
    if (from + length > at && length > best.to - best.from) best = { from, to: from + length };
  }
  if (best.to - best.from === expr.length) return best;
  const kept = text.slice(best.from, best.to).replace(/[\s,.({[]+$/, "");
  if (kept) return { from: best.from, to: closed(text, best.from, best.from + kept.length) };
  const token = text.slice(at).match(/^[\p{L}\p{N}_.]+|^:=|^\+=|^./u);
  return { from: at, to: at + (token?.[0].length ?? 0) };
}

/** Where a piece of a line ends when brackets that it opens are closed on the line: `make([]byte` goes on to its `)`. */
function closed(text: string, from: number, to: number): number {
  let depth = 0;
  let at = from;
  for (const [token] of text.slice(from).matchAll(/"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|`[^`]*`|./gsu)) {
    if (at >= to && depth <= 0) break;
    if ("([{".includes(token)) depth++;
    else if (")]}".includes(token)) depth--;
    at += token.length;
  }
  return depth > 0 ? to : Math.max(at, to);
}

function charIndex(text: string, column: number): number {
  let bytes = 1;
  let index = 0;
  for (const char of text) {
    if (bytes >= column) break;
    const code = char.codePointAt(0) ?? 0;
    bytes += code < 0x80 ? 1 : code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
    index += char.length;
  }
  return Math.min(index, text.length);
}
