// k6's users: ten requests with a cookie and a check, then the next iteration; or RATE requests a second by open arrivals.
import http from "k6/http";
import { check } from "k6";

const users = Number(__ENV.USERS), rate = Number(__ENV.RATE || 0), requests = Number(__ENV.REQUESTS || 10);
const scenario = rate
  ? { executor: "constant-arrival-rate", rate, timeUnit: "1s", preAllocatedVUs: users, maxVUs: users, gracefulStop: "30s" }
  : { executor: "constant-vus", vus: users, gracefulStop: "30s" };
export const options = { scenarios: { crowd: { ...scenario, duration: `${__ENV.SECONDS}s` } } };
export default function () {
  for (let n = 0; n < requests; n++) {
    check(http.get(`${__ENV.URL}/`, { timeout: "60s" }), { ok: (answer) => answer.body === "ok" });
  }
}
export function handleSummary(data) { return { stdout: JSON.stringify(data.metrics) }; }
