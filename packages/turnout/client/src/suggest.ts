/**
 * `<input data-suggest="URL">`: a combobox (WAI-ARIA pattern, list with manual choice) of the values of the dimension
 * that its form has chosen (`add_dimension`, with `add_property`). Where URL has no parameters, it gets the page's, so
 * that its period and filters hold.
 */
import { announce } from "./page";
import { isTaken, offerAnother, sendFilledOnly } from "./several";

const PAUSE_MS = 150;
let lists = 0;

interface Suggestion {
  value: string;
  label: string;
  visitors: number;
}

/** Makes every such field below `root` a combobox; one that comes back from the history is one already. */
export function suggestValues(root: ParentNode): void {
  for (const input of root.querySelectorAll<HTMLInputElement>("input[data-suggest]:not([role])")) new Combobox(input);
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
    input.form?.addEventListener("change", ({ target }) => {
      if (isField(target) && /^add_(dimension|property)$/.test(target.name)) this.forget();
    });
    if (input.form) sendFilledOnly(input.form, input.name);
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
    const dimension = this.dimensionFields().map((field) => field.value.trim()).join("");
    if (!dimension || dimension.endsWith(":")) return;
    const url = new URL(this.input.dataset.suggest ?? "", location.href);
    url.search ||= location.search;
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
    this.found = found.filter((one) => !isTaken(this.input, one.label));
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
    this.input.value = one.label; // the form takes names of countries too
    this.close();
    const another = offerAnother(this.input);
    if (another) new Combobox(another);
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
    this.input.value = "";
  }

  /** The dimension, and the name of the property where it is `event:props:`. */
  private dimensionFields(): (HTMLSelectElement | HTMLInputElement)[] {
    const field = (name: string) => this.input.form?.elements.namedItem(name);
    const [dimension, property] = [field("add_dimension"), field("add_property")];
    const fields = isField(dimension) && dimension.value.endsWith(":") ? [dimension, property] : [dimension];
    return fields.filter(isField);
  }
}

function isField(what: unknown): what is HTMLSelectElement | HTMLInputElement {
  return what instanceof HTMLSelectElement || what instanceof HTMLInputElement;
}
