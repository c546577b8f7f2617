/**
 * `data-key="x"`: pressing the letter (or a named key, `ArrowLeft`) clicks the element; a field gets the focus. `?` lists the keys, `/` goes to the search or the filter.
 * Off while people type, with modifiers, and for whoever has turned them off in the list.
 */
const OFF = "turnout.keys-off";
const NAMES: Record<string, string> = { ArrowLeft: "←", ArrowRight: "→", Esc: "Esc" };
/** Where arrow keys and letters have a meaning of their own. */
const OWN_KEYS = "textarea, select, [role=slider], [role=combobox]";

/** Listens for keys. */
export function listenForKeys(): void {
  document.addEventListener("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (isTypedInto(event.target) || isScrolled(event) || document.querySelector("dialog[open]") || areOff()) return;
    if (press(event.key, event.shiftKey)) event.preventDefault();
  });
}

/** `<button data-shortcuts hidden>`: opens the list of keys; shown where there are any. */
export function offerShortcuts(root: ParentNode, signal: AbortSignal): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-shortcuts]")) {
    button.hidden = false;
    button.addEventListener("click", openList, { signal });
  }
}

function press(key: string, isShifted: boolean): boolean {
  if (key === "?") {
    openList();
    return true;
  }
  if (key === "/" && goToSearch()) return true;
  if (isShifted && key !== "/") return false;
  const element = keyed().find((one) => one.dataset.key?.toLowerCase() === key.toLowerCase());
  if (!element) return false;
  if (element.matches("input, select")) goTo(element);
  else {
    if (element.matches("summary, button")) element.focus();
    element.click();
  }
  return true;
}

function keyed(): HTMLElement[] {
  const all = [...document.querySelectorAll<HTMLElement>("[data-key]")];
  return all.filter((element) => !element.closest("[hidden]") && !element.matches(":disabled"));
}

function goToSearch(): boolean {
  const selectors = ["form[data-search] input:not([type=hidden])", "input[type=search]", ".top input[data-suggest]"];
  for (const selector of selectors) {
    const field = document.querySelector<HTMLInputElement>(selector);
    if (!field) continue;
    goTo(field);
    field.select();
    return true;
  }
  return false;
}

function goTo(field: HTMLElement): void {
  const menu = field.closest("details");
  if (menu) menu.open = true;
  field.focus();
}

function openList(): void {
  const dialog = document.createElement("dialog");
  dialog.className = "keys";
  dialog.setAttribute("aria-labelledby", "keys-title");
  const title = made("h2", "Keyboard shortcuts");
  title.id = "keys-title";
  const list = document.createElement("dl");
  const own = keyed().filter((one) => one.dataset.key !== "/");
  const lines: [string, string][] = own.map((one) => [one.dataset.key ?? "", labelOf(one)]);
  for (const [key, label] of [...lines, ["/", "Search or filter"], ["?", "This list"], ["Esc", "Close, cancel"]]) {
    const line = document.createElement("div");
    const term = document.createElement("dt");
    term.append(made("kbd", NAMES[key] ?? key.toUpperCase()));
    line.append(term, made("dd", label));
    list.append(line);
  }
  const close = made("button", "Close");
  close.addEventListener("click", () => dialog.close());
  const foot = document.createElement("p");
  foot.append(onOff(), close);
  dialog.append(title, list, foot);
  dialog.addEventListener("click", (event) => event.target === dialog && dialog.close());
  dialog.addEventListener("close", () => dialog.remove());
  document.body.append(dialog);
  dialog.showModal();
}

/** Single letters must be possible to turn off (WCAG 2.1.4): voice control and shaky hands press them by accident. */
function onOff(): HTMLElement {
  const label = document.createElement("label");
  const box = document.createElement("input");
  box.type = "checkbox";
  box.checked = !areOff();
  box.addEventListener("change", () => {
    if (box.checked) localStorage.removeItem(OFF);
    else localStorage.setItem(OFF, "1");
  });
  label.append(box, " Use these keys");
  return label;
}

function areOff(): boolean {
  try {
    return localStorage.getItem(OFF) !== null;
  } catch {
    return false; // storage is forbidden
  }
}

function labelOf(element: HTMLElement): string {
  const shown = element.cloneNode(true) as HTMLElement;
  for (const one of shown.querySelectorAll("[aria-hidden=true]")) one.remove();
  const named = element instanceof HTMLInputElement ? element.labels?.[0]?.textContent : "";
  const label = element.dataset.keyLabel || element.getAttribute("aria-label") || shown.textContent || named || "";
  return label.replace(/\s+/g, " ").trim();
}

function isTypedInto(target: EventTarget | null): boolean {
  if (!(target instanceof HTMLElement)) return false;
  if (target instanceof HTMLInputElement) return !/^(checkbox|radio|button|submit|reset)$/.test(target.type);
  return target.isContentEditable || target.matches(OWN_KEYS);
}

/** Arrow keys scroll a part of the page that has the focus. */
function isScrolled({ key, target }: KeyboardEvent): boolean {
  return key.startsWith("Arrow") && target instanceof Element && target.matches("[tabindex='0']");
}

function made(tag: string, text: string): HTMLElement {
  const element = document.createElement(tag);
  element.textContent = text;
  return element;
}
