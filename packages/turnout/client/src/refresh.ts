/** `<div data-refresh="SECONDS">`: fetched anew and replaced for as long as the page is looked at. */
export function refreshParts(root: ParentNode, signal: AbortSignal): void {
  for (const part of root.querySelectorAll<HTMLElement>("[data-refresh]")) {
    const seconds = Number(part.dataset.refresh) || 5;
    const timer = setInterval(() => void refresh(part, signal), seconds * 1000);
    signal.addEventListener("abort", () => clearInterval(timer));
  }
}

async function refresh(part: HTMLElement, signal: AbortSignal): Promise<void> {
  // What somebody reads with the pointer or the keyboard is not pulled away.
  if (document.hidden || part.contains(document.activeElement) || getSelection()?.type === "Range") return;
  try {
    const answer = await fetch(location.href, { headers: { accept: "text/html" }, signal });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = page.querySelector<HTMLElement>("[data-refresh]");
    if (answer.ok && fresh && !signal.aborted) part.replaceChildren(...fresh.childNodes);
  } catch {
    // The server is away, or the page was left: the next time tells.
  }
}
