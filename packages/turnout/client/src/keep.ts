/** What stays as it was when content is exchanged below people's hands: the focus, and details that were opened. */

/** Remembers where the focus is; the function returned puts it on the same thing of the new content. */
export function keepFocus(): () => void {
  const element = document.activeElement;
  if (!(element instanceof HTMLElement || element instanceof SVGElement) || element === document.body) return () => {};
  const menu = element.closest("details.menu");
  const menuName = menu?.querySelector("summary")?.textContent;
  const where = place(element);
  const isField = element instanceof HTMLInputElement;
  const caret = isField ? [element.selectionStart, element.selectionEnd] : [];
  return () => {
    if (element.isConnected) return;
    const found = menu ? inNewMenus(menu, menuName) : sought(where);
    if (!found) {
      focusContent();
      return;
    }
    if (isField && found instanceof HTMLInputElement && found.value !== element.value) {
      found.value = element.value; // typed since the request went out
      found.dispatchEvent(new Event("input", { bubbles: true }));
    }
    found.focus({ preventScroll: true });
    if (isField && found instanceof HTMLInputElement && typeof caret[0] === "number") {
      found.setSelectionRange(caret[0], caret[1] ?? caret[0]);
    }
  };
}

/** Remembers which details of the content are open; the function returned opens the same of the new content. */
export function keepOpened(): () => void {
  const names = (root: ParentNode, which: string) =>
    [...root.querySelectorAll<HTMLDetailsElement>(which)].map((one) => [one, nameOf(one)] as const);
  const opened = new Set(names(document, "main details[open]:not(.menu)").map(([, name]) => name));
  return () => {
    for (const [details, name] of names(document, "main details:not(.menu)")) if (opened.has(name)) details.open = true;
  };
}

interface Place {
  id: string;
  around: string;
  tag: string;
  text: string;
  steps: number[];
}

/** An element as it can be found in another version of the page. */
function place(element: Element): Place {
  const around = element.closest("[id]") ?? document.body;
  const steps: number[] = [];
  for (let at = element; at !== around && at.parentElement; at = at.parentElement) {
    steps.unshift([...at.parentElement.children].indexOf(at));
  }
  const text = element.textContent?.trim() ?? "";
  return { id: element.id, around: around.id, tag: element.localName, text, steps };
}

function sought(where: Place): HTMLElement | SVGElement | null {
  const around = where.around ? document.getElementById(where.around) : document.body;
  if (where.id || !around) return around;
  const alike = [...around.querySelectorAll<HTMLElement>(where.tag)];
  const same = where.text ? alike.find((one) => one.textContent?.trim() === where.text) : undefined;
  if (same) return same;
  const there = where.steps.reduce<Element | undefined>((at, step) => at?.children[step], around);
  return there instanceof HTMLElement && there.localName === where.tag ? there : null;
}

/** Menus close when something was chosen in them; their button has the focus then, under another name perhaps. */
function inNewMenus(menu: Element, name: string | null | undefined): HTMLElement | null {
  const summaries = [...document.querySelectorAll<HTMLElement>("details.menu > summary")];
  const label = menu.querySelector("[aria-label]")?.getAttribute("aria-label");
  return (
    summaries.find((summary) => summary.textContent === name) ??
    summaries.find((summary) => label && summary.parentElement?.querySelector(`[aria-label="${CSS.escape(label)}"]`)) ??
    null
  );
}

function focusContent(): void {
  const main = document.querySelector("main");
  if (!main) return;
  main.tabIndex = -1;
  main.focus({ preventScroll: true });
}

function nameOf(details: HTMLDetailsElement): string {
  return details.id || (details.querySelector("summary")?.textContent ?? "");
}
