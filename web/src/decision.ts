// Why a value is on the heap, as a diagram: storage at the top, the steps away from it, what outlives the frame, the heap.
import type { Fact, Finding, Line, PathStep, Report, Stage } from "./data";
import { bdi, h, svg } from "./dom";
import type { SourceView } from "./source";

const LABELS: Record<Stage, string> = {
  inlined: "inlined",
  storage: "storage",
  size: "size",
  flow: "then",
  callee: "in the callee",
  outlives: "outlives the frame",
  heap: "heap",
};
const MOST_CALLS = 4;

/** Draw the path of one fact. Steps are a list, in order, that the keyboard walks; `source` shows the line of each. */
export function decisionPath(
  report: Report,
  finding: Finding,
  fact: Fact,
  line: Line,
  source: SourceView | null,
): HTMLElement {
  const path = fact.path ?? [];
  const steps = path.map((step) => node(report, step, line, source));
  const calls = (finding.calls ?? []).slice(0, MOST_CALLS).map(([callee, type]) => {
    const name = h("span", "mono", "CALL ", bdi(report.text(callee)), type ? ` ${report.text(type)}` : "");
    return item("call", "machine code", name, null, {});
  });
  return h("ol", { class: "path", attrs: { "aria-label": "Decision path" } }, ...steps, ...calls);
}

function node(report: Report, step: PathStep, line: Line, source: SourceView | null): HTMLElement {
  const [stage, text, file, at, column, reason] = step;
  const name = report.text(file);
  const isHere = at > 0 && name === line.file;
  const point = (isOn: boolean) => () => isHere && source?.highlight(at, isOn);
  const why = report.text(reason);
  const place = at
    ? h(
        "span",
        "said quiet",
        h("span", "mono", bdi(`${isHere ? baseName(name) : name}:${at}${column ? `:${column}` : ""}`, 90)),
        why ? h("span", {}, "compiler: ", bdi(why, 60)) : null,
      )
    : null;
  const said = h("span", { class: stage === "heap" ? "so" : "" }, bdi(report.text(text), 20_000));
  return item(stage, LABELS[stage] ?? stage, said, place, {
    mouseenter: point(true),
    mouseleave: point(false),
    focus: point(true),
    blur: point(false),
  });
}

function item(
  stage: Stage | "call",
  label: string,
  said: HTMLElement,
  place: HTMLElement | null,
  on: Record<string, () => void>,
): HTMLElement {
  return h(
    "li",
    { class: `path-node path-${stage}`, attrs: { tabindex: 0 }, on },
    mark(stage),
    h("span", "path-label", label),
    said,
    place,
  );
}

/** A shape for each kind of step, so that colour is not all that tells them apart. */
function mark(stage: Stage | "call"): Node {
  const shapes: Partial<Record<Stage | "call", () => SVGElement>> = {
    storage: () => svg("rect", { x: 2, y: 2, width: 12, height: 12, rx: 2, class: "mark-open" }),
    size: () => svg("rect", { x: 2, y: 2, width: 12, height: 12, rx: 2, class: "mark-full" }),
    outlives: () => svg("path", { d: "M8 1 15 8 8 15 1 8Z", class: "mark-open" }),
    heap: () => svg("rect", { x: 1, y: 1, width: 14, height: 14, rx: 3, class: "mark-full" }),
    call: () => svg("path", { d: "M3 2 13 8 3 14Z", class: "mark-full" }),
  };
  const shape = shapes[stage] ?? (() => svg("circle", { cx: 8, cy: 8, r: 4, class: "mark-open" }));
  return svg("svg", { class: "mark", viewBox: "0 0 16 16", width: 16, height: 16, "aria-hidden": "true" }, shape());
}

function baseName(file: string): string {
  return file.slice(file.lastIndexOf("/") + 1);
}
