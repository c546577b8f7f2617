/** The values chosen for a field: chips before it, each with a hidden field of the same name. */

/** The chips of a field. */
export function chosenIn(input: HTMLInputElement): HTMLElement[] {
  return [...(input.form?.querySelectorAll<HTMLElement>(".chosen") ?? [])];
}

/** Adds a value, and empties the field for the next. */
export function choose(input: HTMLInputElement, value: string, label: string): void {
  const chip = document.createElement("span");
  chip.className = "chosen";
  const words = document.createElement("span");
  words.textContent = label;
  const field = document.createElement("input");
  field.type = "hidden";
  field.name = input.name;
  field.value = value;
  const cross = document.createElement("button");
  cross.type = "button";
  cross.textContent = "✕";
  cross.setAttribute("aria-label", `Remove ${label}`);
  chip.append(words, field, cross);
  input.before(chip);
  input.value = "";
  input.required = false;
}

/** Lets chips be removed, and leaves the empty field out of what is sent while there are any. */
export function offerRemoval(input: HTMLInputElement): void {
  const form = input.form;
  form?.addEventListener("click", (event) => {
    const chip = event.target instanceof Element && event.target.closest("button") ? event.target.closest(".chosen") : null;
    if (!chip) return;
    chip.remove();
    input.required = chosenIn(input).length === 0;
    input.focus();
  });
  form?.addEventListener("formdata", ({ formData }) => {
    const values = formData.getAll(input.name);
    if (values.length < 2) return;
    formData.delete(input.name);
    for (const value of values) if (value !== "") formData.append(input.name, value);
  });
}
