/** A form with several values: fields of one name, of which the empty ones are no values. */

/** Whether another field of the input's form has this value already. */
export function isTaken(input: HTMLInputElement, value: string): boolean {
  return fieldsLike(input).some((field) => field !== input && field.value === value);
}

/** Sees to it that there is an empty field for one more value. */
export function offerAnother(input: HTMLInputElement): HTMLInputElement | null {
  const fields = fieldsLike(input);
  if (fields.some((field) => field.value === "")) return null;
  const spare = document.createElement("input");
  for (const name of ["name", "maxlength", "data-suggest", "autocapitalize", "spellcheck"]) {
    const value = input.getAttribute(name);
    if (value !== null) spare.setAttribute(name, value);
  }
  spare.placeholder = "or …";
  spare.setAttribute("aria-label", "or another value");
  const last = fields.at(-1) ?? input;
  const list = last.nextElementSibling;
  (list?.matches("[role=listbox]") ? list : last).after(spare);
  return spare;
}

/** Leaves empty fields out of what a form sends, where there is a value beside them. */
export function sendFilledOnly(form: HTMLFormElement, name: string): void {
  form.addEventListener("formdata", ({ formData }) => {
    const filled = formData.getAll(name).filter((value) => value !== "");
    if (!filled.length) return;
    formData.delete(name);
    for (const value of filled) formData.append(name, value);
  });
}

function fieldsLike(input: HTMLInputElement): HTMLInputElement[] {
  const all = input.form?.querySelectorAll<HTMLInputElement>("input[data-suggest]") ?? [];
  return [...all].filter((field) => field.name === input.name);
}
