/** `<button data-copy="ID" hidden>`: copies the text of the element ID. Shown only where scripts run. */
export function offerCopies(): void {
  for (const button of document.querySelectorAll<HTMLButtonElement>("button[data-copy]")) {
    const source = document.getElementById(button.dataset.copy ?? "");
    if (!source || !navigator.clipboard) continue;
    button.hidden = false;
    const label = button.textContent;
    button.addEventListener("click", async () => {
      await navigator.clipboard.writeText(source.textContent?.trim() ?? "");
      button.textContent = "Copied";
      setTimeout(() => (button.textContent = label), 2000);
    });
  }
}
