/**
 * `<form data-line>`: a form that may have to wait for its turn. It is sent as it is, under a name made up here, and
 * while its answer is awaited the place in line is asked for and shown in its `[data-place]`.
 */
const ASK_MS = 1000;

export function showPlaces(root: ParentNode, signal: AbortSignal): void {
  for (const form of root.querySelectorAll<HTMLFormElement>("form[data-line]")) {
    const action = form.getAttribute("action") ?? "";
    let timer = 0;
    const stop = () => {
      clearInterval(timer);
      show(form, "");
    };
    form.addEventListener("submit", () => {
      stop();
      const bytes = crypto.getRandomValues(new Uint8Array(16));
      const name = Array.from(bytes, (byte) => byte.toString(16).padStart(2, "0")).join("");
      form.setAttribute("action", `${action}?line=${name}`);
      timer = window.setInterval(() => void ask(form, name), ASK_MS);
    });
    // Coming back by the browser's own memory, there is nothing to wait for.
    addEventListener("pageshow", stop, { signal });
    signal.addEventListener("abort", stop);
  }
}

async function ask(form: HTMLFormElement, name: string): Promise<void> {
  try {
    const answer = await fetch(`/login/line?line=${name}`, { headers: { accept: "application/json" } });
    const line = (await answer.json()) as { place: number | null; wait_s: number };
    show(form, line.place ? `You are in line: place ${line.place}, about ${Math.ceil(line.wait_s)} s.` : "");
  } catch {
    // The next time tells.
  }
}

function show(form: HTMLFormElement, words: string): void {
  const place = form.querySelector<HTMLElement>("[data-place]");
  if (place && place.textContent !== words) place.textContent = words;
}
