/** Where a chart's points are, in pixels from its container's corner: read from whichever picture is shown. */
interface Spot {
  x: number;
  y: number;
  top: number;
  bottom: number;
}

export class Spots {
  private marked: Element | undefined;

  constructor(
    private readonly box: HTMLElement,
    private readonly count: number,
  ) {}

  /** The index of the point nearest to a pointer's place across the window; -1 where nothing is shown. */
  nearest(clientX: number): number {
    const points = this.points();
    let best = -1;
    let distance = Infinity;
    points.forEach((point, index) => {
      const away = Math.abs(middle(point).x - clientX);
      if (away < distance) [best, distance] = [index, away];
    });
    return Math.min(best, this.count - 1);
  }

  /** The place of a point, and of the plot's upper and lower edge. */
  of(index: number): Spot {
    const point = this.points()[index];
    const corner = this.box.getBoundingClientRect();
    const at = point ? middle(point) : { x: 0, y: 0 };
    const plot = (point?.querySelector(".hair, .band") ?? this.box).getBoundingClientRect();
    return { x: at.x - corner.left, y: at.y - corner.top, top: plot.top - corner.top, bottom: plot.bottom - corner.top };
  }

  /** Shows the point's dot, and no other's. */
  mark(index: number): void {
    this.marked?.classList.remove("on");
    this.marked = index < 0 ? undefined : this.points()[index];
    this.marked?.classList.add("on");
  }

  private points(): Element[] {
    const pictures = [...this.box.querySelectorAll("svg")];
    const picture = pictures.find((one) => one.getBoundingClientRect().width > 0);
    return picture ? [...picture.querySelectorAll("g.point")] : [];
  }
}

function middle(point: Element): { x: number; y: number } {
  const dot = (point.querySelector("circle") ?? point).getBoundingClientRect();
  return { x: dot.left + dot.width / 2, y: dot.top + dot.height / 2 };
}
