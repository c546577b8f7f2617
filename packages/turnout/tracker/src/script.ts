/**
 * Turnout's tracker: page views, routes of single-page apps, and custom events. No cookies, no storage.
 *
 * <script defer data-domain="example.com" src="https://stats.example.com/js/script.js"></script>
 *
 * Size is the constraint here (900 bytes gzipped, kept by test_tracker_build.py): names are spelt once, and nothing
 * is guarded that every browser since 2018 has.
 */

type Options = {
  /** The address to record in place of the page's own. */
  u?: string;
  url?: string;
  props?: Record<string, string | number | boolean>;
  /** false: the event does not keep its visit from being a bounce. */
  interactive?: boolean;
  revenue?: { amount: number | string; currency: string };
  /** Called once: with the status answered, with what failed, or with nothing where the event was not sent. */
  callback?: (outcome?: { status?: number; error?: unknown }) => void;
};
type Track = ((name: string, options?: Options) => void) & { q?: ArrayLike<unknown>[] };

declare global {
  interface Window {
    turnout?: Track;
    plausible?: Track;
  }
  interface Document {
    /** Not in every browser. */
    prerendering?: boolean;
  }
}

const page = document;
const here = location;
const script = page.currentScript as HTMLScriptElement;
const settings = script.dataset;
const byHash = "hash" in settings;
const listen = addEventListener;

/** People who work on the site, and robots that say so, are not visitors. */
const ignored =
  (/^((.+\.)?localhost|127(\.\d+){3}|\[::1?\]|)$/.test(here.hostname) && !("allowLocal" in settings)) ||
  (navigator.webdriver && !("allowAutomated" in settings));

let lastRoute: string | undefined;

const track: Track = (name, options = {}) => {
  const done = options.callback || (() => {});
  if (ignored) return done();
  // Nobody looks at the page yet, and perhaps nobody ever does.
  if (page.prerendering) return page.addEventListener("prerenderingchange", () => track(name, options), { once: true });
  const body = JSON.stringify({
    n: name,
    u: options.u || options.url || here.href,
    d: settings.domain || here.hostname,
    r: page.referrer || undefined,
    p: options.props,
    i: options.interactive,
    $: options.revenue,
    h: byHash ? 1 : undefined,
  });
  /**
   * `keepalive` lets the request outlive the page. text/plain needs no preflight. One more attempt, one to five
   * seconds later, so that a crowd refused at once does not come back at once.
   */
  const send = (attempts: number): unknown => {
    const again = (outcome: { status?: number; error?: unknown }) =>
      attempts ? setTimeout(send, 1e3 + Math.random() * 4e3, 0) : done(outcome);
    return fetch(settings.api || new URL("/api/event", script.src), {
      method: "POST",
      keepalive: true,
      credentials: "omit",
      headers: { "Content-Type": "text/plain" },
      body,
    }).then(
      ({ status }) => (status == 503 ? again({ status }) : done({ status })),
      (error) => again({ error }),
    );
  };
  send(1);
};

/** Records the page view, once a route: replaceState with the same path is no new page. */
const view = () => {
  // Hidden: prerendered, or opened in a tab behind. It counts when, and if, it is looked at.
  const route = byHash ? here.href : here.pathname;
  if (page.visibilityState != "hidden" && route != lastRoute) {
    lastRoute = route;
    track("pageview");
  }
};

for (const name of ["pushState", "replaceState"] as const) {
  const change = history[name];
  history[name] = function () {
    change.apply(this, arguments as never);
    view();
  };
}
listen("popstate", view);
listen("hashchange", view);
page.addEventListener("visibilitychange", view);
listen("pageshow", (event) => {
  // Shown again from the back-forward cache: the script did not run anew, yet it is a new view of the page.
  if (event.persisted) {
    lastRoute = undefined;
    view();
  }
});

// A set: one stub may stand under both names.
const waiting = new Set([window.turnout, window.plausible]);
window.turnout = window.plausible = track;
view();
for (const stub of waiting) for (const call of (stub && stub.q) || []) track(call[0] as string, call[1] as Options);

export {};
