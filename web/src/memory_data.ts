// Where memory went, as src/whyheap/report/page_memory.py writes it.
import type { Certainty } from "./data";

export type Part = readonly [slug: string, title: string, bytes: number, certainty: Certainty];

export interface Account {
  at: string;
  /** what the kernel charges the group with; null without a group */
  charge: number | null;
  rss: number;
  unexplained: number;
  /** live, but never written, so not resident */
  untouched: number;
  /** outermost first */
  parts: readonly Part[];
}

export interface Timeline {
  /** since 1970 */
  seconds: readonly number[];
  parts: readonly { slug: string; title: string; values: readonly number[] }[];
  unexplained: readonly number[];
}

/** `seconds` is null where the moment is not known */
export type EventRow = readonly [kind: string, seconds: number | null, text: string, witness: string];

export interface MemoryData {
  account: Account | null;
  timeline: Timeline | null;
  events: readonly EventRow[];
  eventsLeftOut: number;
}
