// Draws the call tree on a canvas, root on top. Only rows in sight and frames of half a pixel or more are drawn.
import type { Metric } from "./data";
import { bdi, h, replace, visible } from "./dom";
import { type FlameModel, shortName } from "./flame_model";

export const ROW = 20;
const SMALLEST = 0.5;
const FONT = '11px ui-monospace, "SF Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace';

export interface FlameOptions {
  metric: Metric;
  zoom: number;
  /** undefined = no search */
  hit: Uint8Array | undefined;
  /** patterns that the legend left on; empty = all */
  patterns: ReadonlySet<string>;
}

export interface FlameActions {
  slot(pattern: string): number;
  describe(node: number): { title: string; lines: readonly string[] };
  zoom(node: number): void;
  open(node: number): void;
  focus(node: number): void;
}

interface Box {
  x: number;
  width: number;
  node: number;
}

export class FlameView {
  readonly element: HTMLElement;
  private readonly scroller: HTMLElement;
  private readonly spacer: HTMLElement;
  private readonly canvas: HTMLCanvasElement;
  private readonly tip: HTMLElement;
  private options: FlameOptions = { metric: "inuse", zoom: 0, hit: undefined, patterns: new Set() };
  private rows: Box[][] = [];
  private focused = -1;
  private hovered = -1;
  private charWidth = 6.6;
  private queued = false;

  constructor(
    private readonly model: FlameModel,
    private readonly actions: FlameActions,
  ) {
    this.canvas = h("canvas", {
      class: "flame-canvas",
      attrs: {
        tabindex: 0,
        role: "application",
        "aria-label":
          "Flame graph. Arrow keys move between frames, Enter zooms, o opens the source, Escape zooms out. The chosen frame is read out below.",
        "aria-describedby": "flame-detail",
      },
    });
    this.spacer = h("div", "flame-spacer", this.canvas);
    this.scroller = h("div", "flame-scroller", this.spacer);
    this.tip = h("div", { class: "tip", attrs: { role: "tooltip", hidden: true } });
    this.element = h("div", "flame", this.scroller, this.tip);
    this.listen();
  }

  update(options: FlameOptions): void {
    if (options.zoom !== this.options.zoom) this.focused = options.zoom;
    this.options = options;
    this.tip.hidden = true;
    this.draw();
  }

  /** Draw at the next frame: sizes are known then, and many changes are one drawing. */
  draw(): void {
    if (this.queued) return;
    this.queued = true;
    requestAnimationFrame(() => {
      this.queued = false;
      this.paint();
    });
  }

  /** Draw now, as for paper. */
  paint(): void {
    const width = this.scroller.clientWidth;
    const context = this.canvas.getContext("2d");
    if (!width || !context) return;
    this.spacer.style.height = `${this.visibleHeight() * ROW + 1}px`;
    const height = Math.min(this.scroller.clientHeight, this.visibleHeight() * ROW + 1);
    const ratio = devicePixelRatio || 1;
    this.canvas.style.height = `${height}px`;
    this.canvas.width = Math.round(width * ratio);
    this.canvas.height = Math.round(height * ratio);
    context.setTransform(ratio, 0, 0, ratio, 0, 0);
    context.font = FONT;
    context.textBaseline = "middle";
    context.direction = "ltr";
    this.charWidth = context.measureText("M").width || this.charWidth;
    this.rows = [];
    this.layout(width, height);
    this.paintBoxes(context, height);
  }

  private layout(width: number, height: number): void {
    const { metric, zoom } = this.options;
    const { model } = this;
    const offsets = model.offset(metric);
    const scale = width / (model.value(zoom, metric) || 1);
    const left = offsets[zoom] ?? 0;
    const top = Math.floor(this.scroller.scrollTop / ROW);
    const bottom = Math.ceil((this.scroller.scrollTop + height) / ROW);
    const place = (node: number, x: number, boxWidth: number) => {
      const depth = model.depth[node] ?? 0;
      if (depth < top || depth > bottom) return;
      let row = this.rows[depth];
      if (!row) {
        row = [];
        this.rows[depth] = row;
      }
      row.push({ x, width: boxWidth, node });
    };
    for (let node = model.parent[zoom] ?? -1; node >= 0; node = model.parent[node] ?? -1) place(node, 0, width);
    const end = model.end[zoom] ?? 0;
    for (let node = zoom; node < end; ) {
      const boxWidth = model.value(node, metric) * scale;
      if (boxWidth < SMALLEST) {
        node = model.end[node] ?? end;
        continue;
      }
      place(node, ((offsets[node] ?? 0) - left) * scale, boxWidth);
      node = (model.depth[node] ?? 0) > bottom ? (model.end[node] ?? end) : node + 1;
    }
  }

  private paintBoxes(context: CanvasRenderingContext2D, height: number): void {
    const style = getComputedStyle(this.element);
    const colour = (name: string) => style.getPropertyValue(name).trim();
    const fills = Array.from({ length: 8 }, (_, slot) => colour(`--p${slot}`));
    const inks = Array.from({ length: 8 }, (_, slot) => colour(`--p${slot}-ink`));
    const plain = colour("--flame-plain");
    const ink = colour("--ink");
    const accent = colour("--accent");
    const scrolled = this.scroller.scrollTop;
    for (const row of this.rows) {
      for (const box of row ?? []) {
        const y = (this.model.depth[box.node] ?? 0) * ROW - scrolled;
        if (y > height || y + ROW < 0) continue;
        const pattern = this.model.pattern(box.node);
        const slot = pattern ? this.actions.slot(pattern) : -1;
        context.globalAlpha = this.isDimmed(box.node, pattern) ? 0.22 : this.isAncestor(box.node) ? 0.55 : 1;
        context.fillStyle = slot < 0 ? plain : (fills[slot] ?? plain);
        const drawn = Math.max(box.width - (box.width > 3 ? 1 : 0), SMALLEST);
        context.fillRect(box.x, y, drawn, ROW - 1);
        if (box.width > 28) {
          context.fillStyle = slot < 0 ? ink : (inks[slot] ?? ink);
          context.fillText(this.label(box), box.x + 5, y + ROW / 2);
        }
        context.globalAlpha = 1;
        if (box.node === this.focused || box.node === this.hovered) {
          context.strokeStyle = box.node === this.focused ? accent : ink;
          context.lineWidth = box.node === this.focused ? 2 : 1;
          context.strokeRect(box.x + 1, y + 1, Math.max(drawn - 2, 1), ROW - 3);
        }
      }
    }
  }

  private label(box: Box): string {
    const room = Math.floor((box.width - 9) / this.charWidth);
    const full = this.model.name(box.node);
    const name = visible(shortName(full.length > 600 ? full.slice(0, 600) : full));
    return name.length <= room ? name : `${name.slice(0, Math.max(room - 1, 1))}…`;
  }

  private isDimmed(node: number, pattern: string): boolean {
    if (this.options.hit && !this.options.hit[node]) return true;
    return this.options.patterns.size > 0 && !this.options.patterns.has(pattern);
  }

  private isAncestor(node: number): boolean {
    const { zoom } = this.options;
    return node < zoom && (this.model.end[node] ?? 0) > zoom;
  }

  /** Rows down to the deepest frame that is wide enough to be seen. */
  private visibleHeight(): number {
    const { metric, zoom } = this.options;
    const { model } = this;
    const floor = (model.value(zoom, metric) / (this.scroller.clientWidth || 1)) * SMALLEST;
    let deepest = model.depth[zoom] ?? 0;
    const end = model.end[zoom] ?? 0;
    for (let node = zoom; node < end; ) {
      if (model.value(node, metric) < floor) {
        node = model.end[node] ?? end;
        continue;
      }
      deepest = Math.max(deepest, model.depth[node] ?? 0);
      node += 1;
    }
    return deepest + 1;
  }

  private at(event: MouseEvent): number {
    const bounds = this.canvas.getBoundingClientRect();
    const x = event.clientX - bounds.left;
    const depth = Math.floor((event.clientY - bounds.top + this.scroller.scrollTop) / ROW);
    return this.rows[depth]?.find((box) => x >= box.x && x < box.x + box.width)?.node ?? -1;
  }

  private listen(): void {
    this.scroller.addEventListener("scroll", () => this.draw());
    new ResizeObserver(() => this.draw()).observe(this.scroller);
    this.canvas.addEventListener("mousemove", (event) => this.hover(event));
    this.canvas.addEventListener("mouseleave", () => {
      this.hovered = -1;
      this.tip.hidden = true;
      this.draw();
    });
    this.canvas.addEventListener("click", (event) => {
      const node = this.at(event);
      if (node < 0) return;
      this.choose(node);
      this.actions.zoom(node);
    });
    this.canvas.addEventListener("focus", () => {
      if (this.focused < 0) this.choose(this.options.zoom);
    });
    this.canvas.addEventListener("keydown", (event) => this.key(event));
  }

  private hover(event: MouseEvent): void {
    const node = this.at(event);
    if (node !== this.hovered) {
      this.hovered = node;
      this.canvas.style.cursor = node < 0 ? "default" : "pointer";
      this.draw();
      if (node >= 0) {
        const { title, lines } = this.actions.describe(node);
        replace(this.tip, h("strong", {}, bdi(title, 160)), ...lines.map((line) => h("div", {}, bdi(line, 200))));
      }
    }
    this.tip.hidden = node < 0;
    if (node < 0) return;
    const bounds = this.element.getBoundingClientRect();
    const x = Math.min(event.clientX - bounds.left + 14, bounds.width - this.tip.offsetWidth - 4);
    this.tip.style.left = `${Math.max(x, 0)}px`;
    this.tip.style.top = `${event.clientY - bounds.top + 18}px`;
  }

  private key(event: KeyboardEvent): void {
    const current = this.focused < 0 ? this.options.zoom : this.focused;
    const next = this.neighbour(current, event.key);
    if (next !== undefined) {
      this.choose(next);
      this.reveal(next);
    } else if (event.key === "Enter") this.actions.zoom(current);
    else if (event.key === "o") this.actions.open(current);
    else if (event.key === "Escape" && this.options.zoom) this.actions.zoom(0);
    else return;
    event.preventDefault();
    event.stopPropagation();
  }

  private neighbour(node: number, key: string): number | undefined {
    const { model } = this;
    if (key === "ArrowUp") return Math.max(model.parent[node] ?? 0, 0);
    if (key !== "ArrowDown" && key !== "ArrowLeft" && key !== "ArrowRight") return undefined;
    if (key === "ArrowDown") return this.widest(model.children(node)) ?? node;
    const siblings = model.children(model.parent[node] ?? -1).filter((child) => this.isSeen(child));
    return siblings[siblings.indexOf(node) + (key === "ArrowRight" ? 1 : -1)] ?? node;
  }

  private widest(nodes: readonly number[]): number | undefined {
    const { metric } = this.options;
    const size = (node: number) => this.model.value(node, metric);
    return nodes.reduce<number | undefined>(
      (best, node) => (best === undefined || size(node) > size(best) ? node : best),
      undefined,
    );
  }

  private isSeen(node: number): boolean {
    const { metric, zoom } = this.options;
    return this.model.value(node, metric) * this.scroller.clientWidth >= SMALLEST * this.model.value(zoom, metric);
  }

  private choose(node: number): void {
    this.focused = node;
    this.actions.focus(node);
    this.draw();
  }

  private reveal(node: number): void {
    const y = (this.model.depth[node] ?? 0) * ROW;
    if (y < this.scroller.scrollTop) this.scroller.scrollTop = y;
    const lowest = y + ROW - this.scroller.clientHeight;
    if (lowest > this.scroller.scrollTop) this.scroller.scrollTop = lowest;
  }
}
