// The crowd of people.py, for k6: nine of ten open a dashboard, the tenth signs in.
// People come at a constant rate whether or not the service keeps up, and give up after PATIENCE_S.
// Every request is one line of JSON; all times are milliseconds, from the moment at which it was meant to be sent.
import http from 'k6/http';
import exec from 'k6/execution';
import { SharedArray } from 'k6/data';

const crowd = new SharedArray('crowd', () => [JSON.parse(open(__ENV.CROWD))])[0];
const rate = Number(__ENV.RATE);
const users = Number(__ENV.USERS);
const patience = `${__ENV.PATIENCE_S}s`;
const open_ = {
  executor: 'constant-arrival-rate', rate: Math.round(rate * 100), timeUnit: '100s', duration: `${__ENV.SECONDS}s`,
  preAllocatedVUs: users, maxVUs: users, gracefulStop: `${Number(__ENV.PATIENCE_S) + 2}s`,
};
const closed = { executor: 'constant-vus', vus: users, duration: `${__ENV.SECONDS}s`, gracefulStop: '10s' };

export const options = {
  scenarios: { crowd: rate > 0 ? open_ : closed },
  discardResponseBodies: false,
  noCookiesReset: false,
  summaryTrendStats: ['max'],
};

export default function () {
  const began = Date.now();
  const n = exec.scenario.iterationInTest;
  const intended = rate > 0 ? exec.scenario.startTime + (n * 1000) / rate : began;
  const kind = n % 10 === 9 ? 'sign-in' : 'dashboard';
  const answer = kind === 'sign-in' ? signIn(n) : dashboard(n);
  console.log(JSON.stringify({
    n, kind, intended, late: began - intended, took: Date.now() - intended,
    status: answer.response.status, right: answer.right,
    timed_out: answer.response.error_code === 1050,  // k6's own time-out
  }));
}

function dashboard(n) {
  const visit = crowd.visits[n % crowd.visits.length];
  const response = http.get(`${__ENV.BASE}/dashboard/${visit.site_id}`, {
    timeout: patience, headers: { Cookie: `session=${visit.token}` },
  });
  const body = response.body || '';
  const right = response.status === 200 && body.startsWith(`{"site":${visit.site_id},`) && body.includes('"views":');
  return { response, right };
}

function signIn(n) {
  const email = crowd.emails[n % crowd.emails.length];
  const response = http.post(`${__ENV.BASE}/sign-in`, JSON.stringify({ email, password: crowd.password }), {
    timeout: patience, headers: { 'Content-Type': 'application/json' },
  });
  return { response, right: response.status === 200 && !!(response.cookies.session || []).length };
}

export function handleSummary(data) {
  const dropped = data.metrics.dropped_iterations ? data.metrics.dropped_iterations.values.count : 0;
  return { [__ENV.SUMMARY]: JSON.stringify({ dropped }) };
}
