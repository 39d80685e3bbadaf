// One colour for each kind of memory, the same in bars and charts; kinds that are not known share grey.

const SLOTS: Record<string, number> = {
  "live-heap": 4,
  garbage: 1,
  "free-spans": 6,
  "goroutine-stacks": 2,
  "runtime-metadata": 5,
  "off-heap": 0,
  "c-heap": 0,
  "other-anonymous": 0,
  "thread-stacks": 2,
  code: 7,
  libraries: 7,
  "page-cache": 3,
  shmem: 3,
  "shared-memory": 3,
  "other-processes": 0,
  kernel: 7,
  unexplained: 7,
};

export function partSlot(slug: string): number {
  return SLOTS[slug] ?? 7;
}

export function partColour(slug: string): string {
  return slug === "unexplained" ? "rest" : `s${partSlot(slug)}`;
}
