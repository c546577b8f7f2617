// The crowd of the admission benchmark, for k6: open arrivals at constant rates, in up to five streams that start and end
// as SCENARIOS says. Of ten people seven open a dashboard, two a cached one, one signs in. Who is refused comes back
// RETRIES times. Each is one line of JSON with all times in milliseconds from the moment at which it was meant to be sent;
// events are only counted.
import http from 'k6/http';
import exec from 'k6/execution';
import { sleep } from 'k6';
import { Counter, Trend } from 'k6/metrics';
import { SharedArray } from 'k6/data';

const plan = new SharedArray('plan', () => [JSON.parse(open(__ENV.PLAN))])[0];
const kinds = plan.kinds;
const accepted = new Counter('events_accepted');
const lost = new Counter('events_lost');
const took = new Trend('events_took');
const late = new Trend('events_late');

export const options = {
  scenarios: plan.scenarios,
  discardResponseBodies: false,
  batch: 1,
  summaryTrendStats: ['med', 'p(99)', 'max'],
};

function intended(stream, n) {
  return exec.scenario.startTime + (n * 1000) / plan.rates[stream];
}

export function people() {
  const stream = exec.scenario.name;
  const began = Date.now();
  const n = exec.scenario.iterationInTest;
  const meant = intended(stream, n);
  // Each hundred in a row has every tenant once, and each tenant meets every kind in turn.
  const tenant = stream === 'noisy' ? 0 : (n * 37 + 3 * Math.floor(n / 100)) % 100;
  const kind = stream === 'critical' ? 'critical' : kinds[n % kinds.length];
  let answer = send(kind, tenant);
  let tries = 1;
  while ((answer.status === 503 || answer.status === 429) && tries <= plan.retries) {
    sleep(0.1 + 0.2 * Math.random());
    answer = send(kind, tenant);
    tries += 1;
  }
  console.log(JSON.stringify({
    stream, n, kind, tenant, intended: meant, late: began - meant, took: Date.now() - meant, tries,
    served: answer.timings.duration, status: answer.status, right: isRight(kind, tenant, answer), error: answer.error_code || 0,
  }));
}

function send(kind, tenant) {
  const url = `${plan.base}/${kind}/${tenant}`;
  const patience = `${plan.patience_s[kind]}s`;
  if (kind === 'sign-in') return http.post(url, JSON.stringify({ password: plan.password }), { timeout: patience });
  return http.get(url, { timeout: patience });
}

function isRight(kind, tenant, answer) {
  if (answer.status !== 200 || !answer.body) return false;
  if (kind === 'sign-in') return answer.body === '{"signed_in":true}';
  if (kind === 'critical') return answer.body.startsWith(`{"tenant": ${tenant}, "sum": `);
  return answer.body.startsWith(`{"tenant": ${tenant}, "sum": ${plan.sums[tenant]}, `);
}

export function event() {
  const meant = intended('events', exec.scenario.iterationInTest);
  if (meant - exec.scenario.startTime >= plan.warm_up_s * 1000) late.add(Date.now() - meant);
  const answer = http.post(`${plan.base}/event/0`, '[{"n":"pageview","u":"https://example.com/"}]', { timeout: '2s' });
  (answer.status === 202 ? accepted : lost).add(1);
  took.add(Date.now() - meant);
}

export function handleSummary(data) {
  const of = (name) => (data.metrics[name] || { values: {} }).values;
  return { [__ENV.SUMMARY]: JSON.stringify({
    dropped: of('dropped_iterations').count || 0, iterations: of('iterations').count || 0,
    events: { accepted: of('events_accepted').count || 0, lost: of('events_lost').count || 0,
      p99_ms: of('events_took')['p(99)'] || 0, late_p99_ms: of('events_late')['p(99)'] || 0 },
  }) };
}
