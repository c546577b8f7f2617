/** `<details class="menu">`: closes on a click outside, on Escape, when the focus leaves and when another opens. */
const MENU = "details.menu[open]";

/** Listens for what closes menus. */
export function closeMenus(): void {
  document.addEventListener("pointerdown", (event) => closeOutside(event.target));
  document.addEventListener("focusin", (event) => closeOutside(event.target));
  document.addEventListener("toggle", onToggle, { capture: true });
  document.addEventListener("keydown", onKey);
}

function onToggle(event: Event): void {
  if (event.target instanceof HTMLDetailsElement && event.target.matches(MENU)) closeOutside(event.target);
}

function onKey(event: KeyboardEvent): void {
  if (event.key !== "Escape" || event.defaultPrevented || document.querySelector("dialog[open]")) return;
  const menus = [...document.querySelectorAll<HTMLDetailsElement>(MENU)];
  const menu = menus.find((one) => one.contains(document.activeElement)) ?? menus[0];
  if (!menu) return;
  event.preventDefault();
  menu.open = false;
  menu.querySelector("summary")?.focus();
}

function closeOutside(target: EventTarget | null): void {
  for (const menu of document.querySelectorAll<HTMLDetailsElement>(MENU)) {
    if (!(target instanceof Node && menu.contains(target))) menu.open = false;
  }
}
