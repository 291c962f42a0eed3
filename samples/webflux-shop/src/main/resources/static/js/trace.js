// Which server served each request of this page?

import { requests } from "./api.js";
import { byId, element, millis, serverName } from "./dom.js";

const KEPT = 14;

let latest = [];
let drawn = true;

export function openTrace() {
  requests.addEventListener("request", ({ detail }) => {
    latest = [detail, ...latest].slice(0, KEPT);
    if (drawn) {
      drawn = false;
      requestAnimationFrame(draw);
    }
  });
}

function draw() {
  drawn = true;
  byId("trace").replaceChildren(...latest.map(request));
}

function request({ method, path, status, millis: took, servedBy }) {
  const last = servedBy.at(-1);
  const names = [...new Set(servedBy.map((decision) => decision.server))];
  return element(
    "li",
    {},
    element("span", { class: "what" }, `${method} ${path.replace("/api", "")}`),
    element("span", { class: "by" }, ...names.map(serverName), status >= 400 ? element("span", { class: "badge bad" }, String(status)) : undefined),
    element("span", { class: "took" }, millis(took)),
    last ? element("span", { class: "why" }, last.reason + (last.waited > 0 ? `; waited ${last.waited} ms` : "")) : undefined,
  );
}
