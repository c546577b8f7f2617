/** `<input data-guess-zone>`: filled with the browser's own time zone, which is mostly the site's. It can be typed over. */
export function guessZones(): void {
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  for (const input of document.querySelectorAll<HTMLInputElement>("input[data-guess-zone]")) {
    if (input.value === input.defaultValue) input.value = zone;
  }
}
