/**
 * Links and GET forms that lead to the page's own path: the answer is fetched and put in the place of top bar, content
 * and title. Whatever can't be done that way is left to the browser.
 */
import { keepFocus, keepOpened } from "./keep";
import { announce, beginPage, endPage } from "./page";

/** What a history entry showed, so that going back needs no server, as with the browser's own memory of pages. */
interface Shown {
  top: Element | null;
  main: Element;
  title: string;
  scroll: number;
}

interface Visit {
  /** Take the place of this entry of the history, instead of a new one. */
  replace?: boolean;
  /** Only the element of this id is exchanged, so that a field people type into stays as it is. */
  only?: string;
}

const KEPT = 10;
const shown = new Map<number, Shown>();
let entry = 0;
let address = "";
let underway: AbortController | undefined;

/** Listens for clicks, forms sent, and the back and forward buttons. */
export function navigateInPlace(): void {
  address = location.pathname + location.search;
  entry = typeof history.state?.entry === "number" ? history.state.entry : Date.now();
  history.replaceState({ entry }, "");
  document.addEventListener("click", onClick);
  document.addEventListener("submit", onSubmit);
  addEventListener("popstate", onPopState);
  addEventListener("pagehide", () => {
    underway?.abort();
    history.scrollRestoration = "auto";
  });
}

/** Shows `url` in the place of this page where it has the same path; goes there as browsers do in all other cases. */
export async function visit(url: URL, how: Visit = {}): Promise<void> {
  underway?.abort();
  const mine = (underway = new AbortController());
  const main = document.querySelector("main");
  main?.setAttribute("aria-busy", "true");
  try {
    const answer = await fetch(url, { headers: { accept: "text/html" }, signal: mine.signal });
    const arrived = new URL(answer.url);
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    if (mine.signal.aborted) return;
    if (!answer.ok || arrived.pathname !== location.pathname || !isOfThisBuild(page)) throw new Error("not in place");
    arrived.hash = url.hash;
    show(page, arrived, how);
  } catch {
    if (!mine.signal.aborted) location.assign(url);
  } finally {
    if (underway === mine) main?.removeAttribute("aria-busy");
  }
}

function onClick(event: MouseEvent): void {
  if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  const link = event.target instanceof Element ? event.target.closest("a[href]") : null;
  if (!link) return;
  // By attributes: the links of pictures have the same ones, but other properties.
  const url = new URL(link.getAttribute("href") ?? "", document.baseURI);
  const isWithin = url.hash !== "" && url.search === location.search;
  if (link.hasAttribute("target") || link.hasAttribute("download") || !isThisPath(url) || isWithin) {
    underway?.abort();
    return;
  }
  event.preventDefault();
  void visit(url);
}

function onSubmit(event: SubmitEvent): void {
  const form = event.target as HTMLFormElement;
  const method = event.submitter?.getAttribute("formmethod") ?? form.method;
  if (event.defaultPrevented || method.toLowerCase() !== "get" || form.target) return;
  const url = formAddress(form, event.submitter);
  if (!isThisPath(url)) return;
  event.preventDefault();
  void visit(url);
}

/** Where a GET form leads as it is filled in now. */
export function formAddress(form: HTMLFormElement, submitter: HTMLElement | null = null): URL {
  const url = new URL(form.getAttribute("action") || location.href, location.href);
  const fields = new URLSearchParams();
  for (const [name, value] of new FormData(form, submitter)) {
    if (typeof value === "string") fields.append(name, value);
  }
  url.search = fields.toString();
  url.hash = "";
  return url;
}

function onPopState(): void {
  if (location.pathname + location.search === address) return;
  const leaving = entry;
  entry = typeof history.state?.entry === "number" ? history.state.entry : Date.now();
  const kept = shown.get(entry);
  remember(leaving);
  underway?.abort();
  if (!kept) {
    void visit(new URL(location.href), { replace: true });
    return;
  }
  endPage();
  put(kept.top, kept.main);
  document.title = kept.title;
  address = location.pathname + location.search;
  beginPage();
  scrollTo(0, kept.scroll);
  sayWhatIsShown();
}

function show(page: Document, url: URL, { replace = false, only }: Visit): void {
  const main = page.querySelector("main");
  if (!main) throw new Error("no content");
  const part = only ? page.getElementById(only) : null;
  const place = only ? document.getElementById(only) : null;
  const target = url.hash ? document.getElementById(url.hash.slice(1)) : null;
  const isAside = target !== null && !target.contains(document.activeElement);
  const scroll = scrollY;
  const restoreFocus = keepFocus();
  if (!replace) {
    history.scrollRestoration = "manual";
    remember(entry);
    entry = Date.now() + Math.random();
  }
  history[replace ? "replaceState" : "pushState"]({ entry }, "", url);
  address = url.pathname + url.search;
  endPage();
  if (part && place) place.replaceWith(document.adoptNode(part));
  else {
    const reopen = keepOpened();
    put(page.querySelector("header.top"), main);
    reopen();
  }
  document.title = page.title;
  beginPage();
  restoreFocus();
  scrollTo(0, scroll);
  if (isAside) document.getElementById(url.hash.slice(1))?.scrollIntoView();
  sayWhatIsShown();
}

function put(top: Element | null, main: Element): void {
  const oldTop = document.querySelector("header.top");
  if (top) oldTop?.replaceWith(document.adoptNode(top));
  document.querySelector("main")?.replaceWith(document.adoptNode(main));
}

function remember(key: number): void {
  const main = document.querySelector("main");
  if (!main) return;
  main.removeAttribute("aria-busy");
  for (const menu of document.querySelectorAll<HTMLDetailsElement>("details.menu[open]")) menu.open = false;
  shown.delete(key); // so that the order is that of leaving
  shown.set(key, { top: document.querySelector("header.top"), main, title: document.title, scroll: scrollY });
  for (const oldest of shown.keys()) if (shown.size > KEPT) shown.delete(oldest);
}

/** Whether a page was made by the server this script came from; after an upgrade pages are loaded whole. */
function isOfThisBuild(page: Document): boolean {
  const sources = (of: Document) => [...of.head.querySelectorAll("script[src]")].map((one) => one.getAttribute("src"));
  return sources(page).join() === sources(document).join();
}

function isThisPath(url: URL): boolean {
  return url.origin === location.origin && url.pathname === location.pathname;
}

function sayWhatIsShown(): void {
  const heading = document.querySelector("main [data-announce], main h1");
  const filters = [...document.querySelectorAll("main .chip > span:first-child, main .chip summary")].map((chip) => chip.textContent?.trim());
  announce([heading?.textContent?.trim() || document.title, ...filters].join(", "));
}
