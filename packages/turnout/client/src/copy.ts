/** `<button data-copy="ID" hidden>`: copies the text of the element ID. Shown only where scripts run. */
export function offerCopies(root: ParentNode, signal: AbortSignal): void {
  for (const button of root.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy ?? "");
    if (!source || !navigator.clipboard) continue;
    button.hidden = false;
    const label = button.textContent;
    const copy = async () => {
      await navigator.clipboard.writeText(source.textContent?.trim() ?? "");
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 2000);
    };
    button.addEventListener("click", copy, { signal });
  }
}
