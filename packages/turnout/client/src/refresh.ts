/**
 * `<div data-refresh="SECONDS">`: fetched anew and replaced for as long as the page is looked at, until it says 0: then
 * nothing more comes.
 */
export function refreshParts(root: ParentNode, signal: AbortSignal): void {
  for (const part of root.querySelectorAll<HTMLElement>("[data-refresh]")) {
    const seconds = Number(part.dataset.refresh);
    if (!seconds) continue;
    const timer = setInterval(() => {
      if (part.dataset.refresh === "0") clearInterval(timer);
      else void refresh(part, signal);
    }, seconds * 1000);
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
    if (!answer.ok || !fresh || signal.aborted) return;
    part.replaceChildren(...fresh.childNodes);
    part.dataset.refresh = fresh.dataset.refresh;
  } catch {
    // The server is away, or the page was left: the next time tells.
  }
}
