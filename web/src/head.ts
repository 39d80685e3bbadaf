// The first screen: what was looked at, the verdict, memory against the limit, what is unexplained, what could not speak.
import type { Cause, Certainty, GaugeSeries, Report } from "./data";
import { bdi, h, long, svg } from "./dom";
import type { Store } from "./state";
import { formatBytes, formatCount, formatSeconds, formatShare, plural } from "./units";

const VOUCHES: Record<Certainty, string> = {
  measured: "measured: a count of the running program says so",
  stated: "stated: the compiler or the kernel says so",
  inferred: "inferred: whyheap concludes it from the evidence",
};

export function certaintyBadge(certainty: Certainty): HTMLElement {
  return h("span", { class: `badge ${certainty}`, attrs: { title: VOUCHES[certainty] } }, certainty);
}

export function headline(report: Report): HTMLElement {
  const { data } = report;
  return h(
    "div",
    "titles",
    h("h1", {}, bdi(data.title || "whyheap report", 120)),
    data.go ? h("span", "fact", bdi(data.go, 60)) : null,
    ...data.targets.slice(0, 6).map((target) => h("span", "fact mono", bdi(target, 90))),
    data.targets.length > 6 ? h("span", "fact", `${data.targets.length - 6} more`) : null,
  );
}

export function verdict(report: Report, store: Store): HTMLElement {
  const { data } = report;
  const section = (...content: HTMLElement[]) =>
    h("section", { class: "verdict", attrs: { "aria-label": "Verdict" } }, ...content);
  if (!data.verdict) {
    return section(
      h("p", "summary", scanSummary(report)),
      h(
        "p",
        "quiet",
        report.hasBytes
          ? "No runtime was watched, so there is no verdict on the process. Add a URL or a pid."
          : "No bytes are known: nothing that runs was measured. Add a URL or a pid.",
      ),
    );
  }
  const [first, ...others] = data.verdict.causes;
  if (!first) {
    return section(
      h("p", "summary", "Healthy: nothing was found that makes this process run out of memory."),
      h("p", "quiet", "The lines below are where its memory comes from."),
    );
  }
  const rest = others.map((other) =>
    h(
      "details",
      { class: "other", attrs: { "data-cause": other.cause } },
      h("summary", "claim", h("span", "minor", bdi(other.summary, 300)), certaintyBadge(other.certainty)),
      ...grounds(other, report, store),
    ),
  );
  return section(cause(first, report, store), ...rest);
}

function scanSummary(report: Report): string {
  const { heapSites, packages } = report.data.totals;
  if (!report.lines.length) return "Nothing was found on the heap.";
  const where = packages ? ` in ${plural(packages, "package")}` : "";
  return `${plural(heapSites || report.lines.length, "heap site")}${where}`;
}

function cause(data: Cause, report: Report, store: Store): HTMLElement {
  return h(
    "div",
    { class: "cause", attrs: { "data-cause": data.cause } },
    h("div", "claim", h("h2", "summary", long(data.summary, 300)), certaintyBadge(data.certainty)),
    ...grounds(data, report, store),
  );
}

/** What a cause rests on, and what to do about it. */
function grounds(data: Cause, report: Report, store: Store): (HTMLElement | null)[] {
  const evidence = data.evidence.map(([text, certainty, file, line]) => {
    const finding = file === undefined ? undefined : report.lineAt(report.text(file), line ?? 0)?.findings[0];
    const said = long(text, 400);
    return h(
      "li",
      {},
      h("span", {}, finding ? h("a", { attrs: { href: store.link({ finding: finding.id }) } }, said) : said),
      certaintyBadge(certainty),
    );
  });
  return [
    evidence.length ? h("ul", "evidence", ...evidence) : null,
    data.advice.length ? h("ul", "advice", ...data.advice.map((advice) => h("li", {}, long(advice, 400)))) : null,
  ];
}

/** On a phone the measurements stand below the verdict: this says at the top what is there. */
export function witnessLink(report: Report): HTMLElement {
  const { profile, explained, rankedBy } = report.data.totals;
  const metric = rankedBy === "alloc" ? 1 : 0;
  const share = profile?.[metric] ? 1 - Math.min((explained?.[metric] ?? 0) / profile[metric], 1) : 0;
  const parts = [profile ? `${formatShare(share)} unexplained` : "", plural(report.data.gaps.length, "gap")];
  return h(
    "button",
    {
      class: "witness-link",
      attrs: { type: "button" },
      on: { click: () => document.querySelector(".coverage, .gaps")?.scrollIntoView({ block: "center" }) },
    },
    parts.filter(Boolean).join(", "),
  );
}

/** Gauges, explained bytes and gaps: always beside the verdict. */
export function witnessPanel(report: Report): HTMLElement {
  return h(
    "aside",
    { class: "witnesses", attrs: { "aria-label": "Measurements and gaps" } },
    gauges(report.data.gauges),
    coverage(report),
    gaps(report),
  );
}

const LABELS: Record<string, string> = {
  heap_alloc: "heap objects, garbage included",
  heap_goal: "heap goal",
  heap_inuse: "heap in use",
  heap_idle: "heap idle",
  heap_released: "heap released",
  heap_sys: "heap from the OS",
  heap_objects: "number of heap objects",
  stack_inuse: "stacks",
  runtime_metadata: "runtime's own",
  sys: "from the OS",
  num_gc: "collections",
  gc_cpu: "GC's CPU",
  max_rss: "highest RSS",
  rss: "RSS",
  rss_anon: "RSS, anonymous",
  rss_file: "RSS, files",
  rss_shmem: "RSS, shared",
  gogc: "GOGC",
  memory_limit: "GOMEMLIMIT",
  container_limit: "container limit",
  container_usage: "container use",
  container_charge: "charged to the container",
  container_peak: "container's peak",
  container_shmem: "container's shared memory",
  container_file: "container's page cache",
  container_oom_kills: "kills counted",
  psi_some_avg10: "stalled for memory",
  heap_marked: "live at the last mark",
  machine_memory: "machine",
  machine_usage: "machine use",
  total_alloc: "allocated since start",
  num_forced_gc: "forced collections",
};
const LIMITS = ["container_limit", "memory_limit", "machine_memory"];
const CURVES = ["container_usage", "rss", "heap_alloc"];
const FIRST = [
  "heap_alloc",
  "rss",
  "container_usage",
  "container_limit",
  "memory_limit",
  "heap_goal",
  "goroutines",
  "gc_cpu",
  "gogc",
];
const NOT_SHOWN = new Set(["seconds", "last_gc"]);

function gauges(series: readonly GaugeSeries[]): HTMLElement | null {
  const readable = series.filter((one) => !NOT_SHOWN.has(one.name) && one.values.length > 0);
  if (!readable.length) return null;
  const drawn = chart(readable);
  const shown = readable.filter((one) => !drawn?.names.has(one.name));
  const order = (one: GaugeSeries) => (FIRST.indexOf(one.name) + FIRST.length + 1) % (FIRST.length + 1);
  const sorted = [...shown].sort((a, b) => order(a) - order(b));
  const prominent = sorted.filter((one) => FIRST.includes(one.name));
  const top = prominent.length >= 4 ? prominent : sorted.slice(0, 8);
  const more = sorted.filter((one) => !top.includes(one));
  return h(
    "section",
    { attrs: { "aria-label": "Memory" } },
    drawn?.element,
    h("dl", "gauges", ...top.map(gauge)),
    more.length
      ? h(
          "details",
          "more",
          h("summary", {}, plural(more.length, "more number")),
          h("dl", "gauges", ...more.map(gauge)),
        )
      : null,
  );
}

function gauge(one: GaugeSeries): HTMLElement {
  const last = one.values[one.values.length - 1] ?? 0;
  return h(
    "div",
    { class: "gauge", attrs: { title: one.at } },
    h("dt", {}, bdi(LABELS[one.name] ?? one.name.replaceAll("_", " "), 40)),
    h("dd", {}, bdi(spell(last, one.unit), 60)),
  );
}

function spell(value: number, unit: string): string {
  if (unit === "bytes") return formatBytes(value);
  if (unit === "seconds") return formatSeconds(value);
  if (unit === "share") return formatShare(value);
  const text = Number.isInteger(value) ? formatCount(value) : String(Number(value.toPrecision(4)));
  return unit === "count" ? text : `${text} ${unit}`;
}

/** Memory against its limit over time, when it was read more than twice. */
function chart(series: readonly GaugeSeries[]): { element: HTMLElement; names: ReadonlySet<string> } | null {
  const curves = CURVES.flatMap((name) => series.filter((one) => one.name === name && one.values.length > 2)).slice(
    0,
    2,
  );
  const longest = curves[0];
  if (!longest) return null;
  const limit = LIMITS.flatMap((name) => series.filter((one) => one.name === name)).find((one) => one.unit === "bytes");
  const bound = limit?.values[limit.values.length - 1] ?? 0;
  const highest = Math.max(...curves.flatMap((one) => one.values));
  const isNear = bound > 0 && bound < highest * 8;
  const top = (isNear ? Math.max(bound, highest) : highest) * 1.06 || 1;
  const start = Math.min(...curves.flatMap((one) => one.seconds));
  const end = Math.max(...curves.flatMap((one) => one.seconds));
  const width = 400;
  const height = 64;
  const x = (seconds: number) => ((seconds - start) / (end - start || 1)) * width;
  const y = (value: number) => height - (value / top) * height;
  const lines = curves.map((one, index) => {
    const points = one.values.map((value, at) => `${x(one.seconds[at] ?? 0).toFixed(1)},${y(value).toFixed(1)}`);
    return svg("polyline", { points: points.join(" "), class: `curve c${index}` });
  });
  const limitLine = isNear ? [svg("line", { x1: 0, x2: width, y1: y(bound), y2: y(bound), class: "limit" })] : [];
  const names = curves.map((one) => `${LABELS[one.name]} ${formatBytes(one.values[one.values.length - 1] ?? 0)}`);
  const limitName = limit && bound ? `${LABELS[limit.name]} ${formatBytes(bound)}` : "";
  const element = h(
    "figure",
    "chart",
    svg(
      "svg",
      {
        viewBox: `0 0 ${width} ${height}`,
        preserveAspectRatio: "none",
        role: "img",
        "aria-label": `Memory over ${formatSeconds(end - start)}: ${[...names, limitName].filter(Boolean).join(", ")}`,
      },
      ...limitLine,
      ...lines,
    ),
    h(
      "figcaption",
      {},
      ...names.map((name, index) => h("span", `key c${index}`, name)),
      isNear ? h("span", "key limit", limitName) : null,
      h("span", "quiet", formatSeconds(end - start)),
    ),
  );
  return { element, names: new Set([...curves, ...(isNear && limit ? [limit] : [])].map((one) => one.name)) };
}

/** How many of the profile's bytes a finding carries, and how many none does. */
function coverage(report: Report): HTMLElement | null {
  const { profile, explained, rankedBy } = report.data.totals;
  if (!profile) return null;
  const metric = rankedBy === "alloc" ? 1 : 0;
  const whole = profile[metric];
  const known = Math.min(explained?.[metric] ?? 0, whole);
  const rest = whole - known;
  const share = whole ? rest / whole : 0;
  const what = metric ? "allocated" : "in use";
  const bar = svg(
    "svg",
    { viewBox: "0 0 100 6", preserveAspectRatio: "none", class: "bar", "aria-hidden": "true" },
    svg("rect", { x: 0, y: 0, width: 100, height: 6, class: "rest" }),
    svg("rect", { x: 0, y: 0, width: 100 * (1 - share), height: 6, class: "known" }),
  );
  return h(
    "section",
    { class: "coverage", attrs: { "aria-label": "Explained bytes" } },
    h(
      "p",
      {},
      h("strong", "unexplained", `${formatShare(share)} unexplained`),
      h("span", "quiet", ` ${formatBytes(rest)} of ${formatBytes(whole)} ${what}`),
    ),
    bar,
    rss(report),
  );
}

function rss(report: Report): HTMLElement | null {
  const { rss: all, rssExplained } = report.data.totals;
  if (all === null || rssExplained === null) return null;
  const rest = Math.max(all - rssExplained, 0);
  return h("p", "quiet", `${formatBytes(all)} RSS, of which ${formatBytes(rest)} are unexplained`);
}

const GAPS_SHOWN = 3;

function gaps(report: Report): HTMLElement {
  const all = report.data.gaps;
  const leftOut = report.data.flame?.leftOut ?? 0;
  const items = all.map(([witness, reason, hint]) =>
    h(
      "li",
      {},
      h("strong", {}, bdi(witness, 60)),
      " ",
      long(reason, 300),
      hint ? h("span", "quiet", ". ", long(hint, 300)) : null,
    ),
  );
  if (leftOut)
    items.push(h("li", {}, h("strong", {}, "page"), ` ${plural(leftOut, "frame")} too small to draw were left out`));
  const section = h("section", { class: "gaps", attrs: { "aria-label": "Gaps", id: "gaps" } });
  if (!items.length) {
    section.append(h("p", "quiet", "No gaps: every witness that was asked could speak."));
    return section;
  }
  section.append(
    h("p", {}, h("strong", {}, plural(items.length, "gap")), h("span", "quiet", " what could not be seen")),
  );
  section.append(h("ul", {}, ...items.slice(0, GAPS_SHOWN)));
  if (items.length > GAPS_SHOWN) {
    section.append(
      h(
        "details",
        "more",
        h("summary", {}, `${items.length - GAPS_SHOWN} more`),
        h("ul", {}, ...items.slice(GAPS_SHOWN)),
      ),
    );
  }
  return section;
}
