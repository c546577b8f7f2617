/** The life of what is shown: its parts begin with it, and end when something else is shown in its place. */

/** Makes one idea work below `root`; everything it does ends when `signal` aborts. */
export type Part = (root: ParentNode, signal: AbortSignal) => void;

const parts: Part[] = [];
let life = new AbortController();

/** Adds a part to every page shown from now on. */
export function addPart(part: Part): void {
  parts.push(part);
}

/** Ends the parts of the page before, and begins those of this one. */
export function beginPage(): void {
  endPage();
  life = new AbortController();
  beginParts(document);
}

/** Ends the parts of the page that is shown, before it is taken away. */
export function endPage(): void {
  life.abort();
}

/** Begins the parts below `root`, which came into the page late. */
export function beginParts(root: ParentNode): void {
  for (const part of parts) isolated(() => part(root, life.signal));
}

/** Runs `work`; its failure is reported and stops nothing else. */
export function isolated(work: () => void): void {
  try {
    work();
  } catch (error) {
    reportError(error);
  }
}

let status: HTMLElement | undefined;

/** Tells people who can't see the page what has changed. */
export function announce(text: string): void {
  if (!status) {
    status = document.createElement("p");
    status.className = "hidden";
    status.setAttribute("role", "status");
    document.body.append(status);
  }
  status.textContent = text;
}
