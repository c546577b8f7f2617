/**
 * `<a data-live="URL" hidden><span data-live-count></span> …</a>`: the number of visitors now, by server-sent events;
 * hidden where it can't be had. `[data-first-event="URL"]`: says when the site's first event is there, with the way on.
 */
const FIRST_WAIT_MS = 1000;
const LONGEST_WAIT_MS = 60_000;

interface Now {
  visitors: number;
  has_events: boolean;
}

/** Follows the counts below `root` while the tab is seen. */
export function showLive(root: ParentNode, signal: AbortSignal): void {
  for (const counter of root.querySelectorAll<HTMLElement>("[data-live]")) {
    follow(counter.dataset.live ?? "", signal, (now) => count(counter, now));
  }
  for (const waiting of root.querySelectorAll<HTMLElement>("[data-first-event]")) {
    const end = new AbortController();
    signal.addEventListener("abort", () => end.abort());
    const address = waiting.dataset.firstEvent || `${location.pathname.replace(/\/$/, "")}/live`;
    follow(address, end.signal, (now) => {
      if (!now?.has_events) return;
      end.abort();
      welcome(waiting);
    });
  }
}

/** Tells what the stream says, and null when it is out of reach. Tries again later and later; rests in hidden tabs. */
function follow(address: string, signal: AbortSignal, tell: (now: Now | null) => void): void {
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;
  let failures = 0;

  const open = () => {
    close();
    source = new EventSource(address);
    source.onmessage = (event: MessageEvent<string>) => {
      failures = 0;
      tell(JSON.parse(event.data) as Now);
    };
    source.onerror = () => {
      close();
      failures += 1;
      if (failures > 1) tell(null); // a stream that ends and begins anew is no news
      const wait = Math.min(FIRST_WAIT_MS * 2 ** (failures - 1), LONGEST_WAIT_MS);
      timer = setTimeout(open, wait * (0.5 + Math.random()));
    };
  };
  const close = () => {
    clearTimeout(timer);
    source?.close();
    source = undefined;
  };
  const openOrClose = () => (document.hidden ? close() : open());
  document.addEventListener("visibilitychange", openOrClose, { signal });
  addEventListener("pagehide", close, { signal });
  addEventListener("pageshow", (event) => event.persisted && openOrClose(), { signal });
  signal.addEventListener("abort", close);
  openOrClose();
}

function count(counter: HTMLElement, now: Now | null): void {
  counter.hidden = now === null;
  const number = counter.querySelector("[data-live-count]");
  if (now && number) number.textContent = now.visitors.toLocaleString("en");
}

function welcome(waiting: HTMLElement): void {
  const text = document.createElement("span");
  text.textContent = "We have seen your first event. ";
  const link = document.createElement("a");
  link.className = "link";
  link.href = location.pathname;
  link.textContent = "Open the dashboard";
  waiting.setAttribute("role", "status");
  waiting.classList.add("seen");
  waiting.replaceChildren(text, link);
}
