// How does the page talk to the shop, and who served it?

const DECISION = /([\w.-]+); role=(\w+); waited=(\d+); reason="([^"]*)"/g;

/** Hears `request` events, whose detail says of each request to the shop what was asked, how long it took and who served it. */
export const requests = new EventTarget();

/** An answer other than the expected one, with what the shop says about it. */
export class Refused extends Error {
  constructor(status, detail) {
    super(detail);
    this.status = status;
  }
}

/** Sends a request, and returns the answer's JSON (or nothing) with the decisions that led to it. The browser keeps the cookies. */
export async function send(method, path, body) {
  const begin = performance.now();
  const response = await fetch(path, {
    method,
    headers: body === undefined ? {} : { "Content-Type": "application/json" },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
  const text = await response.text();
  const millis = performance.now() - begin;
  const json = text === "" ? undefined : JSON.parse(text);
  const servedBy = decisions(response.headers.get("Served-By"));
  if (path.startsWith("/api/")) {
    requests.dispatchEvent(new CustomEvent("request", { detail: { method, path, status: response.status, millis, servedBy } }));
  }
  if (!response.ok) {
    throw new Refused(response.status, json?.detail ?? `The shop answered with ${response.status}`);
  }
  return { json, millis, servedBy };
}

function decisions(header) {
  return [...(header ?? "").matchAll(DECISION)].map(([, server, role, waited, reason]) => ({ server, role, waited: Number(waited), reason }));
}
