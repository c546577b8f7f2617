// node plausible-tracker.mjs SERVER DOMAIN: a visit recorded by `plausible-tracker`; prints what was sent and answered.
import { open } from "./browser.mjs";

const [server, domain] = process.argv.slice(2);
const page = open(`https://${domain}/start`, "https://news.ycombinator.com/item?id=1");
const { default: Plausible } = await import("plausible-tracker");
const { enableAutoPageviews, trackEvent } = (Plausible.default ?? Plausible)({ domain, apiHost: server });

enableAutoPageviews();
await page.settled();
page.window.history.pushState({}, "", "/pricing?from=start");
await page.settled();
trackEvent("Signup", { props: { plan: "pro", seats: 3 } });
await page.settled();

console.log(JSON.stringify(page.sent));
page.window.close();
