/**
 * `<section data-card-url="URL">`: a card that is late or old. It is asked for again until it is there, and says so: the
 * place in line as the server tells it, for as long as there is one.
 */
import { beginParts } from "./page";

const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 30_000;
const TRIES = 8;
const IN_LINE_MS = 500;

/** Fetches the late cards below `root`, each for itself. */
export function loadCards(root: ParentNode, signal: AbortSignal): void {
  for (const card of root.querySelectorAll<HTMLElement>("[data-card-url]")) {
    // Nothing is shown of its failure but what `load` says in the card itself.
    load(card, signal, 1).catch(() => undefined);
  }
}

async function load(card: HTMLElement, signal: AbortSignal, attempt: number): Promise<void> {
  let wait = Math.min(FIRST_WAIT_MS * 2 ** (attempt - 1), LONGEST_WAIT_MS);
  try {
    const answer = await fetch(card.dataset.cardUrl ?? "", { headers: { accept: "text/html" }, signal });
    const asked = Number(answer.headers.get("retry-after"));
    if (asked > 0) wait = Math.max(wait, asked * 1000);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const fresh = card.id ? page.getElementById(card.id) : page.querySelector<HTMLElement>("section");
    if (signal.aborted) return;
    if (answer.ok && fresh && !fresh.dataset.cardUrl) {
      arrive(card, fresh);
      return;
    }
    if (answer.ok && fresh && /queued/i.test(wordsOf(fresh))) {
      // The server has held this answer for seconds already, so one place after the other is shown.
      showState(card, fresh);
      wait = IN_LINE_MS;
      attempt = 0;
    }
  } catch {
    if (signal.aborted) return;
  }
  if (attempt >= TRIES) {
    offerAgain(card, signal);
    return;
  }
  if (!stateOf(card).textContent) stateOf(card).textContent = "Late: asking again…";
  await pause(wait * (0.75 + Math.random() / 2));
  if (!signal.aborted) await load(card, signal, attempt + 1);
}

function wordsOf(card: HTMLElement): string {
  return card.querySelector("[role=status]")?.textContent ?? "";
}

function showState(card: HTMLElement, fresh: HTMLElement): void {
  const [shown, told] = [card, fresh].map((each) => each.querySelector("[role=status]"));
  if (shown && told && !shown.contains(document.activeElement)) shown.replaceWith(document.adoptNode(told));
}

function arrive(card: HTMLElement, fresh: HTMLElement): void {
  const had = card.contains(document.activeElement);
  card.replaceWith(document.adoptNode(fresh));
  beginParts(fresh);
  if (had) fresh.querySelector<HTMLElement>("a, button")?.focus({ preventScroll: true });
}

function offerAgain(card: HTMLElement, signal: AbortSignal): void {
  const state = stateOf(card);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = "Try again";
  button.addEventListener("click", () => {
    state.textContent = "Asking again…";
    load(card, signal, 1).catch(() => undefined);
  });
  state.replaceChildren("This could not be loaded. ", button);
}

/** Where a card says how it stands: the server's words, or a line of its own. */
function stateOf(card: HTMLElement): HTMLElement {
  const found = card.querySelector<HTMLElement>("[role=status]");
  if (found) return found;
  const state = document.createElement("p");
  state.className = "none soft";
  state.setAttribute("role", "status");
  card.append(state);
  return state;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
