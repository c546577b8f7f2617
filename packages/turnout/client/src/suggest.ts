/**
 * `<input data-suggest="URL">`: a combobox (WAI-ARIA pattern, list with manual choice) of the values of the dimension
 * that its form has chosen. URL may carry the page's period and filters. Several values can be chosen: each is a chip
 * with a hidden field of the input's name.
 */
import { announce } from "./page";
import { chosenIn, choose, offerRemoval } from "./chosen";

const PAUSE_MS = 150;
let lists = 0;

interface Suggestion {
  value: string;
  label: string;
  visitors: number;
}

/** Listens for fields that get the focus: each becomes a combobox at its first. */
export function suggestValues(): void {
  document.addEventListener("focusin", ({ target }) => {
    if (target instanceof HTMLInputElement && target.matches("[data-suggest]") && !target.hasAttribute("role")) {
      new Combobox(target);
    }
  });
}

class Combobox {
  private readonly list = document.createElement("ul");
  private found: Suggestion[] = [];
  private active = -1;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private asking: AbortController | undefined;

  constructor(private readonly input: HTMLInputElement) {
    this.list.id = `suggestions-${++lists}`;
    this.list.className = "suggestions";
    this.list.hidden = true;
    this.list.setAttribute("role", "listbox");
    this.list.setAttribute("aria-label", "Suggestions");
    input.after(this.list);
    input.autocomplete = "off";
    input.setAttribute("role", "combobox");
    input.setAttribute("aria-autocomplete", "list");
    input.setAttribute("aria-expanded", "false");
    input.setAttribute("aria-controls", this.list.id);
    input.addEventListener("input", () => this.askLater(PAUSE_MS));
    input.addEventListener("focus", () => this.askLater(0));
    input.addEventListener("blur", () => this.close());
    input.addEventListener("keydown", (event) => this.onKey(event));
    this.list.addEventListener("pointerdown", (event) => event.preventDefault()); // the field keeps the focus
    this.list.addEventListener("click", (event) => this.onClick(event));
    for (const select of this.dimensionFields()) select.addEventListener("change", () => this.forget());
    offerRemoval(input);
    this.askLater(0);
  }

  private onKey(event: KeyboardEvent): void {
    if (event.isComposing) return;
    const count = this.found.length;
    if (event.key === "ArrowDown" || event.key === "ArrowUp") {
      event.preventDefault();
      if (this.list.hidden) this.askLater(0);
      else if (count) this.mark((this.active + (event.key === "ArrowDown" ? 1 : this.active < 0 ? 0 : -1) + count) % count);
    } else if (event.key === "Enter" && this.active >= 0 && !this.list.hidden) {
      event.preventDefault();
      this.take(this.active);
    } else if (event.key === "Escape" && !this.list.hidden) {
      event.preventDefault();
      this.close();
    } else if (event.key === "Backspace" && this.input.value === "") {
      chosenIn(this.input).at(-1)?.querySelector("button")?.click();
    }
  }

  private onClick(event: Event): void {
    const option = event.target instanceof Element ? event.target.closest("[role=option]") : null;
    if (option) this.take([...this.list.children].indexOf(option));
  }

  private askLater(ms: number): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.timer = setTimeout(() => void this.ask(), ms);
  }

  private async ask(): Promise<void> {
    const mine = (this.asking = new AbortController());
    const dimension = this.dimensionFields()[0]?.value;
    if (!dimension) return;
    const url = new URL(this.input.dataset.suggest || `${location.pathname}/suggest${location.search}`, location.href);
    url.searchParams.set("dimension", dimension);
    url.searchParams.set("q", this.input.value.trim());
    try {
      const answer = await fetch(url, { headers: { accept: "application/json" }, signal: mine.signal });
      const found = answer.ok && !answer.redirected ? ((await answer.json()) as Suggestion[]) : [];
      if (!mine.signal.aborted && document.activeElement === this.input) this.show(found);
    } catch {
      if (!mine.signal.aborted) this.close(); // typing works without suggestions
    }
  }

  private show(found: Suggestion[]): void {
    const taken = new Set(chosenIn(this.input).map((chip) => chip.querySelector("input")?.value));
    this.found = found.filter((one) => !taken.has(one.value));
    this.list.replaceChildren(...this.found.map((one, index) => this.option(one, index)));
    this.list.hidden = this.found.length === 0;
    this.input.setAttribute("aria-expanded", `${!this.list.hidden}`);
    this.mark(-1);
    announce(this.found.length === 1 ? "1 value" : `${this.found.length} values`);
  }

  private option({ label, visitors }: Suggestion, index: number): HTMLElement {
    const option = document.createElement("li");
    option.id = `${this.list.id}-${index}`;
    option.setAttribute("role", "option");
    const [words, count] = [document.createElement("span"), document.createElement("small")];
    words.textContent = label;
    count.textContent = visitors.toLocaleString("en");
    option.append(words, count);
    return option;
  }

  private mark(index: number): void {
    this.active = index;
    [...this.list.children].forEach((one, at) => one.setAttribute("aria-selected", `${at === index}`));
    const option = this.list.children[index];
    if (option) this.input.setAttribute("aria-activedescendant", option.id);
    else this.input.removeAttribute("aria-activedescendant");
    option?.scrollIntoView({ block: "nearest" });
  }

  private take(index: number): void {
    const one = this.found[index];
    if (!one) return;
    choose(this.input, one.value, one.label);
    this.close();
  }

  private close(): void {
    clearTimeout(this.timer);
    this.asking?.abort();
    this.list.hidden = true;
    this.input.setAttribute("aria-expanded", "false");
    this.input.removeAttribute("aria-activedescendant");
    this.active = -1;
  }

  /** Values of one dimension mean nothing in another. */
  private forget(): void {
    for (const chip of chosenIn(this.input)) chip.remove();
    this.input.value = "";
    this.input.required = true;
  }

  private dimensionFields(): (HTMLSelectElement | HTMLInputElement)[] {
    const names = "[data-suggest-dimension], [name=add_dimension], [name=dimension]";
    return [...(this.input.form?.querySelectorAll<HTMLSelectElement | HTMLInputElement>(names) ?? [])];
  }
}
