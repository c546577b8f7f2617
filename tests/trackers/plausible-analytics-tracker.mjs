// node plausible-analytics-tracker.mjs SERVER DOMAIN: a visit recorded by `@plausible-analytics/tracker`; prints what
// was sent and answered.
import { open } from "./browser.mjs";

const [server, domain] = process.argv.slice(2);
const page = open(`https://${domain}/start`, "https://news.ycombinator.com/item?id=1");
const { init, track } = await import("@plausible-analytics/tracker");

init({ domain, endpoint: `${server}/api/event` });
await page.settled();
// Leaving the first page for the next route reports how far it was read: the engagement event.
page.window.history.pushState({}, "", "/pricing?from=start");
await page.settled();
track("Signup", { props: { plan: "pro", seats: 3 } });
await page.settled();

console.log(JSON.stringify(page.sent));
page.window.close();
