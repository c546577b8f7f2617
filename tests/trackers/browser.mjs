// A page of a site under jsdom, with the parts of a browser that jsdom lacks: fetch, ResizeObserver, a layout.
import { JSDOM, ResourceLoader } from "jsdom";

const nodeFetch = globalThis.fetch;
const USER_AGENT = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

/** Opens `url`. What is sent from it is listed in `sent`, with the status answered; `settled()` waits for all of it. */
export function open(url, referrer) {
  const sent = [];
  const pending = [];
  const { window } = new JSDOM("<!doctype html><html><body></body></html>", {
    url,
    referrer,
    pretendToBeVisual: true,
    resources: new ResourceLoader({ userAgent: USER_AGENT }),
  });
  Object.defineProperty(window.document.documentElement, "scrollHeight", { value: 2 * window.innerHeight });
  window.ResizeObserver = class {
    observe() {}
  };
  window.fetch = (address, options) => {
    const answered = nodeFetch(address, { ...options, headers: { ...options.headers, "User-Agent": USER_AGENT } });
    pending.push(answered.then(({ status }) => sent.push({ body: JSON.parse(options.body), status })));
    return answered;
  };
  const { send } = window.XMLHttpRequest.prototype;
  window.XMLHttpRequest.prototype.send = function (body) {
    pending.push(
      new Promise((done) =>
        this.addEventListener("loadend", () => done(sent.push({ body: JSON.parse(body), status: this.status }))),
      ),
    );
    return send.call(this, body);
  };
  for (const name of ["document", "location", "history", "XMLHttpRequest", "HTMLAnchorElement", "MutationObserver", "ResizeObserver", "fetch"]) {
    globalThis[name] = window[name];
  }
  globalThis.window = window;
  globalThis.addEventListener = window.addEventListener.bind(window);
  globalThis.removeEventListener = window.removeEventListener.bind(window);
  return { window, sent, settled: () => Promise.all(pending) };
}
