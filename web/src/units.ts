// Numbers as people read them; the same spelling as src/whyheap/units.py.

const STEPS = ["B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB"];

export function formatBytes(size: number): string {
  let value = Math.abs(size);
  let power = 0;
  while (power < STEPS.length - 1 && value >= 1023.5) {
    value /= 1024;
    power += 1;
  }
  const exact = power === 0 || value >= 99.95 || value === Math.trunc(value);
  return `${size < 0 && value ? "-" : ""}${value.toFixed(exact ? 0 : 1)} ${STEPS[power]}`;
}

export function formatShare(share: number): string {
  const percent = share * 100;
  if (percent <= 0) return "0 %";
  if (percent < 0.05) return "< 0.1 %";
  if (share < 1 && percent >= 99.95) return "> 99.9 %";
  return percent < 9.95 || (share < 1 && percent >= 99.5) ? `${percent.toFixed(1)} %` : `${percent.toFixed(0)} %`;
}

export function formatCount(count: number): string {
  return Math.round(count).toLocaleString("en-US");
}

export function formatSeconds(seconds: number): string {
  const size = Math.abs(seconds);
  if (size === 0) return "0 s";
  if (size < 1e-3) return `${Number((seconds * 1e6).toPrecision(3))} µs`;
  if (size < 1) return `${Number((seconds * 1e3).toPrecision(3))} ms`;
  if (size < 120) return `${seconds.toFixed(size < 9.95 && size % 1 ? 1 : 0)} s`;
  const minutes = Math.round(seconds / 60);
  return minutes < 60 ? `${minutes} min` : `${Math.floor(minutes / 60)} h ${minutes % 60} min`;
}

export function plural(count: number, one: string, many = `${one}s`): string {
  return `${formatCount(count)} ${count === 1 ? one : many}`;
}
