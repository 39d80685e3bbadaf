// The data island, as src/whyheap/report/page_data.py writes it. Numbers named *Text index into `strings`.

import type { MemoryData } from "./memory_data";

export type Metric = "inuse" | "alloc";
export type Certainty = "measured" | "stated" | "inferred";
export type Text = number;
/** inuse bytes, alloc bytes */
export type Bytes = readonly [number, number];
/** expression, reason, file, line, column */
export type Step = readonly [expr: Text, reason: Text, file: Text, line: number, column: number];
export type FlowRow = readonly [to: Text, from: Text, steps: readonly Step[]];

export type Sentence = readonly [text: Text, file: Text, line: number, column: number];

/** Which question of the decision a step answers, as Stage in report/decision_path.py. */
export type Stage = "inlined" | "storage" | "size" | "flow" | "callee" | "outlives" | "heap";
/** line 0: a conclusion, which stands nowhere */
export type PathStep = readonly [stage: Stage, text: Text, file: Text, line: number, column: number, reason: Text];

export interface Fact {
  message: Text;
  subject: Text;
  site: readonly [file: Text, line: number, column: number];
  /** the flow in plain words, a sentence a step */
  says: readonly Sentence[];
  so: Text;
  path?: readonly PathStep[];
  inlined?: readonly (readonly [file: Text, line: number, column: number])[];
  flow?: readonly FlowRow[];
}

export interface Finding {
  id: string;
  pattern: Text;
  column: number;
  subject: Text;
  message: Text;
  certainty: Certainty;
  agreement: string;
  /** inuse bytes, alloc bytes, inuse objects, alloc objects */
  measure?: readonly [number, number, number, number];
  facts?: readonly Fact[];
  /** absent = no machine code was read */
  calls?: readonly (readonly [callee: Text, type: Text, address: number])[];
  callees?: readonly (readonly [callee: Text, leaf: Text, inuse: number, alloc: number])[];
  shared?: readonly number[];
  fixes?: readonly (readonly [title: Text, kind: string])[];
  /** index into `roots.rows` */
  root?: number;
  /** the detail was left out of the page */
  cut?: boolean;
  labels?: readonly (readonly [name: Text, text: Text])[];
}

/** `inuse` and `alloc` are null without a profile; `line` 0 = no place in the scanned code */
export type RootRow = readonly [
  id: string,
  kind: string,
  title: Text,
  file: Text,
  line: number,
  pattern: Text,
  sites: number,
  files: number,
  inuse: number | null,
  alloc: number | null,
];

export interface Cause {
  cause: string;
  certainty: Certainty;
  bytes: number;
  share: number | null;
  summary: string;
  evidence: readonly (readonly [text: string, certainty: Certainty, file?: Text, line?: number])[];
  advice: readonly string[];
}

export interface GaugeSeries {
  name: string;
  unit: string;
  values: readonly number[];
  /** when each value was read, seconds since 1970 */
  seconds: readonly number[];
  at: string;
}

export interface LineColumns {
  /** lines from this one on never allocate and have no rank */
  ranked: number;
  file: readonly Text[];
  line: readonly number[];
  function: readonly Text[];
  package: readonly Text[];
  inuse: readonly (number | null)[];
  alloc: readonly (number | null)[];
  findings: readonly (readonly number[])[];
}

export interface FlameColumns {
  frames: { name: readonly Text[]; file: readonly Text[]; line: readonly number[]; pattern: readonly Text[] };
  frame: readonly number[];
  depth: readonly number[];
  inuse: readonly number[];
  alloc: readonly number[];
  leftOut: number;
}

export interface PageData {
  schema: number;
  tool: string;
  title: string;
  go: string;
  targets: readonly string[];
  verdict: { causes: readonly Cause[] } | null;
  totals: {
    heapSites: number;
    packages: number;
    profile: Bytes | null;
    explained: Bytes | null;
    rankedBy: string;
    rss: number | null;
    rssExplained: number | null;
    window: number | null;
  };
  gauges: readonly GaugeSeries[];
  memory: MemoryData;
  gaps: readonly (readonly [witness: string, reason: string, hint: string])[];
  entries: readonly (readonly [name: string, kind: string, inuse: number, alloc: number])[];
  roots: { rows: readonly RootRow[]; leftOut: number };
  lines: LineColumns;
  findings: readonly Finding[];
  sources: { files: readonly Text[]; texts: readonly string[]; leftOut: number };
  flame: FlameColumns | null;
  strings: readonly string[];
}

/** One line of code with its findings: what the ranked table shows. */
export interface Line {
  rank: number | null;
  file: string;
  line: number;
  place: string;
  function: string;
  package: string;
  bytes: Record<Metric, number | null>;
  findings: readonly Finding[];
  /** Lower-case text that a search looks through. */
  haystack: string;
}

/** The whole report, with look-ups that several parts of the page need. */
export class Report {
  readonly lines: readonly Line[];
  readonly lineOf = new Map<Finding, Line>();
  readonly findingById = new Map<string, Finding>();
  readonly hasBytes: boolean;
  readonly whole: Record<Metric, number>;
  private readonly byPlace = new Map<string, Line>();
  private readonly sourceByFile = new Map<string, string>();

  constructor(readonly data: PageData) {
    this.lines = data.lines.file.map((_, index) => this.line(index));
    for (const line of this.lines) {
      if (!this.byPlace.has(line.place)) this.byPlace.set(line.place, line);
      for (const finding of line.findings) {
        this.lineOf.set(finding, line);
        if (!this.findingById.has(finding.id)) this.findingById.set(finding.id, finding);
      }
    }
    data.sources.files.forEach((file, index) => {
      this.sourceByFile.set(this.text(file), data.sources.texts[index] ?? "");
    });
    this.hasBytes = this.lines.some((line) => line.bytes.inuse !== null);
    const profile = data.totals.profile;
    const sum = (metric: Metric) => this.lines.reduce((total, line) => total + (line.bytes[metric] ?? 0), 0);
    this.whole = { inuse: profile?.[0] || sum("inuse"), alloc: profile?.[1] || sum("alloc") };
  }

  text(index: Text): string {
    return this.data.strings[index] ?? "";
  }

  lineAt(file: string, line: number): Line | undefined {
    return this.byPlace.get(`${file}:${line}`);
  }

  /** The line that has the finding with this id. */
  lineWith(id: string): Line | undefined {
    const finding = this.findingById.get(id);
    return finding && this.lineOf.get(finding);
  }

  source(file: string): string | undefined {
    return this.sourceByFile.get(file);
  }

  finding(index: number): Finding | undefined {
    return this.data.findings[index];
  }

  /** What keeps a finding's value on the heap, if that is among the roots of this page. */
  rootOf(finding: Finding): RootRow | undefined {
    return finding.root === undefined ? undefined : this.data.roots.rows[finding.root];
  }

  private line(index: number): Line {
    const columns = this.data.lines;
    const file = this.text(columns.file[index] ?? -1);
    const line = columns.line[index] ?? 0;
    const name = this.text(columns.function[index] ?? -1);
    const packagePath = this.text(columns.package[index] ?? -1);
    const findings = (columns.findings[index] ?? []).flatMap((number) => this.data.findings[number] ?? []);
    const words = findings.flatMap((finding) => [
      this.text(finding.pattern),
      this.text(finding.message),
      this.text(finding.subject),
      finding.agreement,
      this.rootOf(finding) ? `root:${this.rootOf(finding)?.[0]}` : "",
    ]);
    return {
      rank: index < columns.ranked ? index + 1 : null,
      file,
      line,
      place: `${file}:${line}`,
      function: name,
      package: packagePath,
      bytes: { inuse: columns.inuse[index] ?? null, alloc: columns.alloc[index] ?? null },
      findings,
      haystack: [`${file}:${line}`, packagePath, name, ...words].join("\n").toLowerCase(),
    };
  }
}

/** Read the data island of this document. */
export function readReport(): Report {
  return new Report(JSON.parse(document.getElementById("data")?.textContent ?? "{}") as PageData);
}
