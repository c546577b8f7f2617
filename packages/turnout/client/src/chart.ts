/**
 * `<div data-chart='{…}' data-zoom="?…from=FROM&to=TO">` around server-drawn pictures of one chart: the nearest point's
 * value under pointer, finger and arrow keys; dragging over a span of time, or Shift with the arrows, zooms into it.
 */
import { firstDay, lastDay, type Step } from "./bucket";
import { visit } from "./navigate";
import { isolated } from "./page";
import { Spots } from "./spots";

/** One entry a point; the time before has none where nothing is compared. */
interface Data {
  step: Step;
  starts: string[];
  labels: string[];
  texts: string[];
  labelsBefore: string[];
  textsBefore: string[];
}

const DRAG_PX = 6;
const STEPS: Record<string, number> = { ArrowLeft: -1, ArrowRight: 1, PageUp: -7, PageDown: 7 };

/** Makes every chart below `root` readable by pointer and keys. */
export function readCharts(root: ParentNode, signal: AbortSignal): void {
  for (const box of root.querySelectorAll<HTMLElement>("[data-chart]")) {
    isolated(() => {
      const data = JSON.parse(box.dataset.chart ?? "") as Data;
      if (data.starts.length) new Chart(box, data, signal);
    });
  }
}

class Chart {
  private readonly tip = element("div", "chart-tip");
  private readonly hair = element("div", "chart-hair");
  private readonly range = element("div", "chart-range");
  private readonly spots: Spots;
  private at = -1;
  private from: number | null = null;
  private dragX: number | null = null;

  constructor(
    private readonly box: HTMLElement,
    private readonly data: Data,
    signal: AbortSignal,
  ) {
    this.spots = new Spots(box, data.starts.length);
    box.classList.add("lively");
    box.append(this.range, this.hair, this.tip);
    box.tabIndex = 0;
    box.setAttribute("role", "slider");
    const title = document.getElementById("chart-title")?.textContent;
    box.setAttribute("aria-label", `${title ?? "Chart"}: read the values with the arrow keys`);
    box.setAttribute("aria-valuemin", "1");
    box.setAttribute("aria-valuemax", `${data.starts.length}`);
    this.say(data.starts.length - 1);
    const listen = { signal };
    box.addEventListener("pointermove", (event) => this.onMove(event), listen);
    box.addEventListener("pointerdown", (event) => this.onDown(event), listen);
    box.addEventListener("pointerup", (event) => this.onUp(event), listen);
    box.addEventListener("pointercancel", () => this.rest(), listen);
    box.addEventListener("pointerleave", (event) => this.onLeave(event), listen);
    document.addEventListener("pointerdown", (event) => this.onOutside(event), listen);
    box.addEventListener("blur", () => this.rest(), listen);
    box.addEventListener("focus", () => box.matches(":focus-visible") && this.show(data.starts.length - 1), listen);
    document.addEventListener("keydown", (event) => this.onKey(event), listen);
    addEventListener("resize", () => this.rest(), listen);
    signal.addEventListener("abort", () => this.end());
  }

  private onDown(event: PointerEvent): void {
    if (event.button || event.pointerType === "touch") {
      this.show(this.spots.nearest(event.clientX));
      return;
    }
    if (!this.box.dataset.zoom || (event.target instanceof Element && event.target.closest("a, button"))) return;
    event.preventDefault(); // no text is selected meanwhile
    this.box.setPointerCapture(event.pointerId);
    this.dragX = event.clientX;
  }

  private onMove(event: PointerEvent): void {
    const index = this.spots.nearest(event.clientX);
    if (this.dragX !== null && (this.from !== null || Math.abs(event.clientX - this.dragX) > DRAG_PX)) {
      this.from ??= this.spots.nearest(this.dragX);
    }
    this.show(index);
  }

  private onUp(event: PointerEvent): void {
    const from = this.from;
    if (this.dragX === null) return;
    this.rest();
    if (from !== null) this.zoom(from, this.spots.nearest(event.clientX));
  }

  /** A finger leaves whenever it is lifted; what it read stays until the next touch elsewhere. */
  private onLeave(event: PointerEvent): void {
    if (this.dragX === null && event.pointerType !== "touch") this.rest();
  }

  private onOutside(event: PointerEvent): void {
    if (event.target instanceof Node && !this.box.contains(event.target)) this.rest();
  }

  private onKey(event: KeyboardEvent): void {
    if (event.key === "Escape" && (this.dragX !== null || this.from !== null || this.at >= 0)) {
      if (this.from !== null) event.preventDefault();
      this.rest();
      return;
    }
    if (event.target !== this.box || event.ctrlKey || event.metaKey || event.altKey) return;
    const last = this.data.starts.length - 1;
    const current = this.at < 0 ? last : this.at;
    if (event.key === "Enter" && this.from !== null) {
      const from = this.from;
      this.rest();
      this.zoom(from, current);
    } else if (event.key in STEPS || event.key === "Home" || event.key === "End") {
      event.preventDefault();
      this.from = event.shiftKey && this.box.dataset.zoom ? (this.from ?? current) : null;
      const step = STEPS[event.key] ?? (event.key === "Home" ? -last : last);
      this.show(Math.min(last, Math.max(0, current + step)));
    }
  }

  private show(index: number): void {
    if (index < 0) return;
    this.say(index);
    this.at = index;
    const spot = this.spots.of(index);
    this.box.classList.add("read");
    this.tip.replaceChildren(
      element("b", "", this.data.texts[index]),
      element("span", "", this.data.labels[index]),
    );
    const before = this.before(index);
    if (before) this.tip.append(element("span", "before", before));
    const half = this.tip.offsetWidth / 2;
    const left = Math.min(Math.max(spot.x, half + 2), this.box.clientWidth - half - 2);
    const above = spot.y - this.tip.offsetHeight - 14;
    move(this.tip, { left, top: above >= 0 ? above : spot.y + 14 });
    move(this.hair, { left: spot.x, top: spot.top, height: spot.bottom - spot.top });
    this.spots.mark(index);
    this.select(index, spot.top, spot.bottom);
  }

  private select(index: number, top: number, bottom: number): void {
    this.box.classList.toggle("selecting", this.from !== null);
    if (this.from === null) return;
    const [left, right] = [this.from, index].map((one) => this.spots.of(one).x).sort((a, b) => a - b) as [number, number];
    move(this.range, { left, top, width: right - left, height: bottom - top });
  }

  private say(index: number): void {
    const words = [`${this.data.labels[index]}: ${this.data.texts[index]}`, this.before(index)];
    this.box.setAttribute("aria-valuenow", `${index + 1}`);
    this.box.setAttribute("aria-valuetext", words.filter(Boolean).join(", "));
  }

  private before(index: number): string {
    const text = this.data.textsBefore[index];
    return text ? `${this.data.labelsBefore[index]}: ${text}` : "";
  }

  private rest(): void {
    this.from = this.dragX = null;
    this.at = -1;
    this.box.classList.remove("read", "selecting");
    this.spots.mark(-1);
  }

  private zoom(one: number, other: number): void {
    const [first, last] = one < other ? [one, other] : [other, one];
    const { starts, step } = this.data;
    const address = (this.box.dataset.zoom ?? "")
      .replace("FROM", firstDay(starts[first] ?? ""))
      .replace("TO", lastDay(starts[last] ?? "", step));
    void visit(new URL(address, location.href));
  }

  private end(): void {
    this.rest();
    this.box.classList.remove("lively");
    for (const added of [this.tip, this.hair, this.range]) added.remove();
  }
}

function element(tag: string, name: string, text = ""): HTMLElement {
  const made = document.createElement(tag);
  made.className = name;
  made.textContent = text;
  if (tag === "div") made.setAttribute("aria-hidden", "true");
  return made;
}

function move(what: HTMLElement, to: Record<string, number>): void {
  for (const [name, value] of Object.entries(to)) what.style.setProperty(name, `${value}px`);
}
