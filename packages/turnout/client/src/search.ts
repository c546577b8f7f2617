/** `<form role="search">`: searches as people type; `data-search="ID"` exchanges only the element of that id. */
import { formAddress, visit } from "./navigate";

const PAUSE_MS = 250;
let timer: ReturnType<typeof setTimeout> | undefined;

/** Listens for typing. */
export function searchAsTyped(): void {
  document.addEventListener("input", (event) => later(event.target, (event as InputEvent).isComposing));
  document.addEventListener("compositionend", (event) => later(event.target, false));
  document.addEventListener("submit", () => clearTimeout(timer), { capture: true });
  document.addEventListener("click", () => clearTimeout(timer), { capture: true });
}

function later(target: EventTarget | null, isComposing: boolean): void {
  const form = target instanceof HTMLInputElement ? target.closest<HTMLFormElement>("form[role=search], form[data-search]") : null;
  if (!form || isComposing) return;
  clearTimeout(timer);
  timer = setTimeout(() => {
    if (!form.isConnected) return;
    void visit(formAddress(form), { replace: true, only: form.dataset.search || undefined });
  }, PAUSE_MS);
}
