// What the page shows, kept in the URL's fragment so that every view can be linked to and the back button works.
import type { Metric } from "./data";

export type View = "lines" | "memory" | "flame" | "entries" | "roots";

export interface State {
  view: View;
  by: Metric;
  query: string;
  patterns: ReadonlySet<string>;
  package: string;
  sort: string;
  finding: string;
  frame: number;
}

type Listener = (state: State, changed: ReadonlySet<keyof State>) => void;

const VIEWS: readonly View[] = ["lines", "memory", "flame", "entries", "roots"];

export class Store {
  private current: State;
  private readonly listeners: Listener[] = [];

  constructor(private readonly initial: State) {
    this.current = this.parse(location.hash);
    addEventListener("hashchange", () => this.apply(this.parse(location.hash)));
    addEventListener("popstate", () => this.apply(this.parse(location.hash)));
  }

  get state(): State {
    return this.current;
  }

  listen(listener: Listener): void {
    this.listeners.push(listener);
  }

  /** Change the state. A step that a reader would want to undo is a new entry of the history. */
  set(patch: Partial<State>): void {
    const next = { ...this.current, ...patch };
    const isStep =
      next.view !== this.current.view || next.finding !== this.current.finding || next.frame !== this.current.frame;
    const url = this.fragment(next);
    if (url !== this.fragment(this.current)) {
      if (isStep) history.pushState(null, "", url);
      else history.replaceState(null, "", url);
    }
    this.apply(next);
  }

  /** The fragment that leads to a state; the current one with a patch. */
  link(patch: Partial<State>): string {
    return this.fragment({ ...this.current, ...patch });
  }

  private apply(next: State): void {
    const before = this.current;
    const keys = Object.keys(next) as (keyof State)[];
    const changed = new Set(keys.filter((key) => !equal(next[key], before[key])));
    this.current = next;
    if (changed.size) for (const listener of this.listeners) listener(next, changed);
  }

  private fragment(state: State): string {
    const params = new URLSearchParams();
    if (state.view !== this.initial.view) params.set("view", state.view);
    if (state.by !== this.initial.by) params.set("by", state.by);
    if (state.query) params.set("q", state.query);
    for (const pattern of state.patterns) params.append("pattern", pattern);
    if (state.package) params.set("package", state.package);
    if (state.sort !== this.initial.sort) params.set("sort", state.sort);
    if (state.frame) params.set("frame", String(state.frame));
    if (state.finding) params.set("finding", state.finding);
    return `#${params.toString()}`;
  }

  private parse(hash: string): State {
    const params = new URLSearchParams(hash.replace(/^#/, ""));
    const by = params.get("by");
    const frame = Number(params.get("frame") ?? 0);
    return {
      view: VIEWS.find((view) => view === params.get("view")) ?? this.initial.view,
      by: by === "inuse" || by === "alloc" ? by : this.initial.by,
      query: params.get("q") ?? "",
      patterns: new Set(params.getAll("pattern")),
      package: params.get("package") ?? "",
      sort: params.get("sort") ?? this.initial.sort,
      finding: params.get("finding") ?? "",
      frame: Number.isInteger(frame) && frame > 0 ? frame : 0,
    };
  }
}

function equal(one: unknown, other: unknown): boolean {
  if (one instanceof Set && other instanceof Set)
    return one.size === other.size && [...one].every((item) => other.has(item));
  return one === other;
}
