// Patterns and their colours. Seven can be told apart by everybody (Okabe and Ito); the rest share one.
import type { Metric, Report } from "./data";

export const COLOURED = 7;

export interface PatternRow {
  slug: string;
  /** 0..6 a colour of its own, 7 the shared one */
  slot: number;
  lines: number;
  bytes: Record<Metric, number>;
}

/** A slug as words: "global-store" reads "global store". */
export function patternTitle(slug: string): string {
  return /^[a-z0-9-]+$/.test(slug) ? slug.replaceAll("-", " ") : slug;
}

export class Patterns {
  readonly rows: readonly PatternRow[];
  private readonly bySlug = new Map<string, PatternRow>();

  constructor(report: Report) {
    for (const line of report.lines) {
      const slugs = new Set(line.findings.map((finding) => report.text(finding.pattern)));
      for (const slug of slugs) {
        const row = this.row(slug);
        row.lines += 1;
      }
      // A line's bytes go to its leading finding: they are counted once.
      const lead = line.findings[0];
      if (!lead) continue;
      const bytes = this.row(report.text(lead.pattern)).bytes;
      bytes.inuse += line.bytes.inuse ?? 0;
      bytes.alloc += line.bytes.alloc ?? 0;
    }
    const frames = report.data.flame?.frames;
    for (const pattern of frames?.pattern ?? []) if (report.text(pattern)) this.row(report.text(pattern));
    const weight = (row: PatternRow) =>
      row.bytes.inuse / (report.whole.inuse || 1) + row.bytes.alloc / (report.whole.alloc || 1);
    this.rows = [...this.bySlug.values()].sort(
      (a, b) => weight(b) - weight(a) || b.lines - a.lines || (a.slug < b.slug ? -1 : 1),
    );
    this.rows.forEach((row, index) => {
      row.slot = Math.min(index, COLOURED);
    });
  }

  slot(slug: string): number {
    return this.bySlug.get(slug)?.slot ?? COLOURED;
  }

  private row(slug: string): PatternRow {
    let row = this.bySlug.get(slug);
    if (!row) {
      row = { slug, slot: COLOURED, lines: 0, bytes: { inuse: 0, alloc: 0 } };
      this.bySlug.set(slug, row);
    }
    return row;
  }
}
