// The call tree as columns in preorder. 100,000 frames are a few typed arrays, so zoom and search are single passes.
import type { FlameColumns, Metric, Report } from "./data";
import { matches } from "./search";

export class FlameModel {
  readonly size: number;
  readonly frame: Int32Array;
  readonly depth: Int32Array;
  readonly parent: Int32Array;
  /** one past the last frame of the subtree */
  readonly end: Int32Array;
  readonly height: number;
  private readonly values: Record<Metric, Float64Array>;
  private readonly offsets: Partial<Record<Metric, Float64Array>> = {};
  private haystacks: string[] | undefined;

  constructor(
    private readonly report: Report,
    private readonly columns: FlameColumns,
  ) {
    this.size = columns.frame.length;
    this.frame = Int32Array.from(columns.frame);
    this.depth = Int32Array.from(columns.depth);
    this.parent = new Int32Array(this.size).fill(-1);
    this.end = new Int32Array(this.size).fill(this.size);
    const path: number[] = [];
    let height = 0;
    for (let node = 0; node < this.size; node++) {
      const depth = this.depth[node] ?? 0;
      while (path.length > depth) this.end[path.pop() ?? 0] = node;
      this.parent[node] = path[path.length - 1] ?? -1;
      path.push(node);
      height = Math.max(height, depth + 1);
    }
    this.height = height;
    this.values = { inuse: this.total(columns.inuse), alloc: this.total(columns.alloc) };
  }

  value(node: number, metric: Metric): number {
    return this.values[metric][node] ?? 0;
  }

  name(node: number): string {
    return this.report.text(this.columns.frames.name[this.frame[node] ?? 0] ?? -1);
  }

  file(node: number): string {
    return this.report.text(this.columns.frames.file[this.frame[node] ?? 0] ?? -1);
  }

  line(node: number): number {
    return this.columns.frames.line[this.frame[node] ?? 0] ?? 0;
  }

  pattern(node: number): string {
    return this.report.text(this.columns.frames.pattern[this.frame[node] ?? 0] ?? -1);
  }

  /** Bytes to the left of each frame: children lie side by side under their parent, widest first. */
  offset(metric: Metric): Float64Array {
    let starts = this.offsets[metric];
    if (!starts) {
      const values = this.values[metric];
      starts = new Float64Array(this.size);
      const next = new Float64Array(this.size);
      for (let node = 1; node < this.size; node++) {
        const parent = this.parent[node] ?? 0;
        const start = next[parent] ?? 0;
        starts[node] = start;
        next[node] = start;
        next[parent] = start + (values[node] ?? 0);
      }
      this.offsets[metric] = starts;
    }
    return starts;
  }

  children(node: number): number[] {
    const found: number[] = [];
    for (let child = node + 1; child < (this.end[node] ?? 0); child = this.end[child] ?? this.size) found.push(child);
    return found;
  }

  /** Which frames match, how many, and the bytes under them, each byte counted once. */
  search(words: readonly string[], metric: Metric): { hit: Uint8Array; count: number; bytes: number } {
    const texts = this.texts();
    const hitFrames = new Uint8Array(texts.length);
    texts.forEach((text, index) => {
      hitFrames[index] = matches(text, words) ? 1 : 0;
    });
    const hit = new Uint8Array(this.size);
    let count = 0;
    let bytes = 0;
    let covered = 0;
    for (let node = 0; node < this.size; node++) {
      if (!hitFrames[this.frame[node] ?? 0]) continue;
      hit[node] = 1;
      count += 1;
      if (node < covered) continue;
      bytes += this.value(node, metric);
      covered = this.end[node] ?? node;
    }
    return { hit, count, bytes };
  }

  private texts(): string[] {
    if (!this.haystacks) {
      const { name, file, line, pattern } = this.columns.frames;
      this.haystacks = name.map((text, index) =>
        [
          this.report.text(text),
          `${this.report.text(file[index] ?? -1)}:${line[index] ?? 0}`,
          this.report.text(pattern[index] ?? -1),
        ]
          .join("\n")
          .toLowerCase(),
      );
    }
    return this.haystacks;
  }

  /** A frame is at least as wide as its children together, whatever sampling made of the numbers. */
  private total(own: readonly number[]): Float64Array {
    const below = new Float64Array(this.size);
    const values = new Float64Array(this.size);
    for (let node = this.size - 1; node >= 0; node--) {
      const value = Math.max(own[node] ?? 0, below[node] ?? 0, 0);
      values[node] = value;
      const parent = this.parent[node] ?? -1;
      if (parent >= 0) below[parent] = (below[parent] ?? 0) + value;
    }
    return values;
  }
}

/** The last part of a symbol's path: "example.com/shop/pkg.(*T).M" reads "pkg.(*T).M". */
export function shortName(name: string): string {
  const bracket = name.indexOf("[");
  const slash = name.lastIndexOf("/", bracket < 0 ? name.length : bracket);
  return slash < 0 ? name : name.slice(slash + 1);
}
