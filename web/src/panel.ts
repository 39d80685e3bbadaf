// Everything about one finding: bytes, source with the flow on it, the chain in plain words, proof, and what to do.
import type { Finding, Line, Metric, Report } from "./data";
import { decisionPath } from "./decision";
import { bdi, h, replace } from "./dom";
import { certaintyBadge } from "./head";
import { type Patterns, patternTitle } from "./patterns";
import { SourceView } from "./source";
import type { Store } from "./state";
import { swatch } from "./toolbar";
import { formatBytes, formatCount, formatShare } from "./units";

const AGREEMENTS: Record<string, string> = {
  agree: "The witnesses agree: it is on the heap, and it allocates.",
  "allocates-silently": "No escape is reported here, yet the program allocates.",
  "may-allocate": "It allocates on some paths or for some values only.",
  "never-allocates": "The compiler says heap, yet nothing is allocated here.",
  unknown: "The compiler says heap; no other witness has measured this line.",
};
const FIX_KINDS: Record<string, readonly [string, string]> = {
  mechanical: ["provable", "whyheap fix can recompile and measure it"],
  judgement: ["your judgement", "it may change what the program does"],
};

export interface PanelActions {
  neighbours(line: Line): { before: Line | undefined; after: Line | undefined };
  copy(text: string, what: string): void;
}

export class Panel {
  readonly element = h("section", { class: "panel", attrs: { "aria-label": "Finding", tabindex: -1, hidden: true } });

  constructor(
    private readonly report: Report,
    private readonly patterns: Patterns,
    private readonly store: Store,
    private readonly actions: PanelActions,
  ) {}

  show(id: string): void {
    this.element.hidden = !id;
    if (!id) {
      replace(this.element);
      return;
    }
    const finding = this.report.findingById.get(id);
    const line = finding && this.report.lineOf.get(finding);
    if (!finding || !line) {
      replace(
        this.element,
        h("header", "panel-head", h("h2", {}, "No such finding"), this.closeButton()),
        h("p", {}, "This report has no finding ", bdi(id, 80), ". It may be of another report, or the line is gone."),
      );
    } else {
      replace(this.element, this.head(line), this.tabs(line, finding), ...this.body(line, finding));
    }
    this.element.scrollTop = 0;
  }

  private head(line: Line): HTMLElement {
    const { before, after } = this.actions.neighbours(line);
    const step = (to: Line | undefined, label: string, sign: string) =>
      h(
        "button",
        {
          class: "icon",
          attrs: { type: "button", "aria-label": label, title: label, disabled: !to },
          on: { click: () => to?.findings[0] && this.store.set({ finding: to.findings[0].id }) },
        },
        sign,
      );
    const link = h(
      "button",
      {
        class: "icon",
        attrs: { type: "button", "aria-label": "Copy a link to this finding", title: "Copy a link to this finding" },
        on: { click: () => this.actions.copy(location.href, "Link") },
      },
      "#",
    );
    return h(
      "header",
      "panel-head",
      h("h2", "mono", bdi(line.file, 20_000), h("span", "colon", `:${line.line}`)),
      h("div", "buttons", step(before, "Previous line", "↑"), step(after, "Next line", "↓"), link, this.closeButton()),
      h(
        "p",
        "symbol mono",
        bdi(line.function, 20_000),
        line.package ? h("span", "quiet", " in ", bdi(line.package, 20_000)) : null,
      ),
    );
  }

  private closeButton(): HTMLElement {
    const attrs = { type: "button", "aria-label": "Close (Esc)", title: "Close (Esc)" };
    return h("button", { class: "icon", attrs, on: { click: () => this.store.set({ finding: "" }) } }, "✕");
  }

  private tabs(line: Line, chosen: Finding): HTMLElement | null {
    if (line.findings.length < 2) return null;
    return h(
      "nav",
      { class: "reasons", attrs: { "aria-label": "Reasons on this line" } },
      ...line.findings.slice(0, 40).map((finding) =>
        h(
          "a",
          {
            class: "chip",
            attrs: { href: this.store.link({ finding: finding.id }), "aria-current": String(finding === chosen) },
          },
          swatch(this.patterns.slot(this.report.text(finding.pattern))),
          bdi(patternTitle(this.report.text(finding.pattern)), 48),
          this.report.text(finding.subject)
            ? h("span", "quiet mono", bdi(this.report.text(finding.subject), 24))
            : null,
        ),
      ),
    );
  }

  private body(line: Line, finding: Finding): (HTMLElement | null)[] {
    const { report } = this;
    const text = report.source(line.file);
    const source = text === undefined ? null : new SourceView(report, this.patterns, this.store, line, finding, text);
    return [
      this.claim(finding),
      this.bytes(finding),
      finding.cut
        ? h(
            "p",
            "quiet",
            "The page keeps the detail of the first 5,000 findings. For this one: ",
            h("code", {}, `whyheap explain ${line.place}`),
          )
        : null,
      source?.element ?? h("p", "quiet", "The source of this line is not part of the report."),
      ...(finding.facts ?? []).slice(0, 20).map((_, index) => this.chain(finding, index, line, source)),
      this.fixes(finding),
      this.callees(finding),
      this.calls(finding),
      this.verbatim(finding),
    ];
  }

  private claim(finding: Finding): HTMLElement {
    const pattern = this.report.text(finding.pattern);
    const root = this.report.rootOf(finding);
    return h(
      "div",
      "claim-block",
      h(
        "p",
        "reason",
        swatch(this.patterns.slot(pattern)),
        bdi(this.report.text(finding.message), 20_000),
        certaintyBadge(finding.certainty),
      ),
      h(
        "p",
        "quiet",
        "pattern ",
        bdi(pattern, 20_000),
        ". ",
        AGREEMENTS[finding.agreement] ?? finding.agreement,
        root
          ? h(
              "span",
              {},
              " It hangs on ",
              h(
                "a",
                { attrs: { href: this.store.link({ view: "lines", query: `root:${root[0]}` }) } },
                bdi(this.report.text(root[2]), 200),
              ),
              root[6] > 1 ? `, with ${root[6] - 1} more.` : ".",
            )
          : null,
      ),
    );
  }

  private bytes(finding: Finding): HTMLElement | null {
    if (!finding.measure) return null;
    const [inuse, alloc, inuseObjects, allocObjects] = finding.measure;
    const { window } = this.report.data.totals;
    const rate = window ? `, ${formatBytes(alloc / window)}/s` : "";
    const share = (bytes: number, metric: Metric) => formatShare(bytes / (this.report.whole[metric] || 1));
    const shared = (finding.shared ?? []).flatMap((index) => this.report.finding(index) ?? []);
    return h(
      "div",
      "bytes-block",
      h(
        "dl",
        "gauges",
        h(
          "div",
          "gauge",
          h("dt", {}, "in use now"),
          h("dd", {}, formatBytes(inuse), h("span", "share", share(inuse, "inuse"))),
          h("dd", "quiet", `${formatCount(inuseObjects)} objects`),
        ),
        h(
          "div",
          "gauge",
          h("dt", {}, window ? "allocated in the window" : "allocated"),
          h("dd", {}, formatBytes(alloc), h("span", "share", share(alloc, "alloc"))),
          h("dd", "quiet", `${formatCount(allocObjects)} objects${rate}`),
        ),
      ),
      shared.length
        ? h(
            "p",
            "quiet",
            "These bytes belong to the line and may be of ",
            ...joined(
              shared
                .slice(0, 8)
                .map((other) =>
                  h(
                    "a",
                    { attrs: { href: this.store.link({ finding: other.id }) } },
                    bdi(patternTitle(this.report.text(other.pattern)), 48),
                  ),
                ),
            ),
            " as well: they are counted once.",
          )
        : null,
    );
  }

  private chain(finding: Finding, index: number, line: Line, source: SourceView | null): HTMLElement | null {
    const fact = finding.facts?.[index];
    if (!fact?.says.length) return null;
    return h(
      "section",
      "chain",
      h("h3", {}, index ? "And also" : "How it gets to the heap"),
      decisionPath(this.report, finding, fact, line, index ? null : source),
    );
  }

  private fixes(finding: Finding): HTMLElement | null {
    if (!finding.fixes?.length) return null;
    return h(
      "section",
      "fixes",
      h("h3", {}, "What to change"),
      h(
        "ul",
        {},
        ...finding.fixes.map(([title, kind]) => {
          const [name, meaning] = FIX_KINDS[kind] ?? [kind, ""];
          return h(
            "li",
            {},
            bdi(this.report.text(title), 20_000),
            h("span", { class: `badge ${kind}`, attrs: { title: meaning } }, name),
          );
        }),
      ),
    );
  }

  private callees(finding: Finding): HTMLElement | null {
    if (!finding.callees?.length) return null;
    const by = this.store.state.by === "inuse" ? 2 : 3;
    return h(
      "section",
      "callees",
      h("h3", {}, "Through calls"),
      h(
        "ul",
        "pairs",
        ...finding.callees.map((callee) => {
          const through = this.report.text(callee[0]);
          const leaf = this.report.text(callee[1]);
          return h(
            "li",
            {},
            h("span", "mono", bdi(through), leaf && leaf !== through ? h("span", "quiet", " … ", bdi(leaf)) : null),
            h("span", "amount", formatBytes(callee[by])),
          );
        }),
      ),
    );
  }

  private calls(finding: Finding): HTMLElement | null {
    if (!finding.calls) return null;
    return h(
      "section",
      "calls",
      h("h3", {}, "Machine code"),
      finding.calls.length
        ? h(
            "ul",
            "pairs",
            ...finding.calls.map(([callee, type, address]) =>
              h(
                "li",
                {},
                h(
                  "span",
                  "mono",
                  "CALL ",
                  bdi(this.report.text(callee)),
                  type ? h("span", "quiet", " ", bdi(this.report.text(type))) : null,
                ),
                h("span", "quiet mono", `0x${address.toString(16)}`),
              ),
            ),
          )
        : h("p", "quiet", "The program contains no allocator call for this line."),
    );
  }

  /** The compiler's own words, for whoever wants to check ours. */
  private verbatim(finding: Finding): HTMLElement {
    const { report } = this;
    const rows = (finding.facts ?? []).slice(0, 20).flatMap((fact) => {
      const [file, line, column] = fact.site;
      const at = `${report.text(file)}:${line}${column ? `:${column}` : ""}`;
      const flows = (fact.flow ?? []).flatMap(([to, from, steps]) => [
        h("div", "flow-line", "  flow: ", bdi(report.text(to)), " ← ", bdi(report.text(from)), ":"),
        ...steps.map(([expr, reason, stepFile, stepLine, stepColumn]) =>
          h(
            "div",
            "flow-line",
            "    from ",
            bdi(report.text(expr)),
            " (",
            bdi(report.text(reason)),
            ") at ",
            bdi(report.text(stepFile)),
            `:${stepLine}:${stepColumn}`,
          ),
        ),
      ]);
      const inlined = (fact.inlined ?? []).map(([inFile, inLine, inColumn]) =>
        h("div", "flow-line", "  inlined at ", bdi(report.text(inFile)), `:${inLine}:${inColumn}`),
      );
      return [h("div", {}, bdi(at), ": ", bdi(report.text(fact.message))), ...inlined, ...flows];
    });
    const labels = (finding.labels ?? []).map(([name, text]) =>
      h("div", {}, bdi(report.text(name)), ": ", bdi(report.text(text))),
    );
    return h(
      "details",
      "verbatim",
      h("summary", {}, "In the compiler's words"),
      h(
        "div",
        "mono verbatim-text",
        ...(rows.length ? rows : ["The compiler said nothing about this line."]),
        ...labels,
        h("div", "quiet", "id ", bdi(finding.id, 20_000)),
      ),
    );
  }
}

function joined(items: readonly HTMLElement[]): (HTMLElement | string)[] {
  return items.flatMap((item, index) => (index ? [index === items.length - 1 ? " and " : ", ", item] : [item]));
}
