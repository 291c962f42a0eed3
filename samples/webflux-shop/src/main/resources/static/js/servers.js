// How do the servers stand, and what is done to them?

import { Refused, send } from "./api.js";
import { byId, count, element, millis, percent, serverName } from "./dom.js";

const PAUSE_MILLIS = 500;
const DELAY_MILLIS = 1000;

/** What is being done, by server: it may take seconds. */
const busy = new Map();
let shown = "";
let before;

export function openServers() {
  byId("users").addEventListener("input", () => (byId("users-shown").textContent = byId("users").value));
  byId("users").addEventListener("change", () => send("POST", `/demo/load?users=${byId("users").value}`));
  watch();
}

/** Asks twice a second, and not at all while nobody looks. */
async function watch() {
  for (;;) {
    if (!document.hidden) {
      try {
        await Promise.all([showServers(), showLoad()]);
      } catch (failure) {
        byId("done").textContent = "The shop does not answer.";
        if (failure instanceof Refused) {
          byId("done").textContent = failure.message;
        }
      }
    }
    await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLIS));
  }
}

async function showServers() {
  const { json } = await send("GET", "/demo/servers");
  // rebuilt only when something other than a figure has changed, so that a button keeps its focus
  const shape = JSON.stringify([json.map((each) => ({ ...each, lagMillis: 0, bytesBehind: 0 })), [...busy]]);
  // and not while one is pressed: a button that is not the one that was pressed gets no click
  if (shape !== shown && !byId("servers").querySelector("button:active")) {
    shown = shape;
    const focused = document.activeElement?.dataset?.verb;
    byId("servers").replaceChildren(...json.map(server));
    if (focused) {
      byId("servers").querySelector(`[data-verb="${focused}"]`)?.focus();
    }
  }
  for (const each of json) {
    const figure = byId("servers").querySelector(`[data-lag="${each.name}"]`);
    if (figure) {
      figure.textContent = lag(each);
    }
  }
}

function server(each) {
  const doing = busy.get(each.name);
  return element(
    "li",
    { "data-status": each.status, "aria-busy": doing !== undefined },
    element(
      "p",
      { class: "row" },
      element("b", { class: "grow" }, serverName(each.name)),
      element("span", { class: `badge ${each.role}` }, each.role),
      each.tags.map((tag) => element("span", { class: "badge tag" }, tag))[0],
    ),
    element("p", { class: "hint" }, doing ?? state(each), element("span", { class: "lag", "data-lag": each.name })),
    element("p", { class: "row verbs" }, ...verbs(each).map(([verb, label, query]) => button(each, verb, label, query, doing !== undefined))),
  );
}

function state({ status, fault, problem }) {
  if (!fault.running) {
    return "not running";
  }
  const faults = [fault.paused ? "paused" : undefined, fault.delayMillis > 0 ? `applies ${fault.delayMillis} ms late` : undefined].filter(Boolean);
  return faults.length > 0 ? faults.join(", ") : status === "up" ? "up" : `${status}${problem ? `: ${problem}` : ""}`;
}

function lag({ role, lagMillis, bytesBehind, fault }) {
  if (role !== "replica" || !fault.running) {
    return "";
  }
  const bytes = bytesBehind ? `, ${count(bytesBehind / 1024)} KB` : "";
  return lagMillis === null ? "lag unknown" : `at most ${lagMillis < 10000 ? millis(lagMillis) : `${count(lagMillis / 1000)} s`} old${bytes}`;
}

function verbs({ role, fault }) {
  if (!fault.running) {
    return [["restore", "Bring back", ""]];
  }
  const all = [];
  if (role === "replica" && !fault.paused) {
    all.push(["pause", "Pause", ""]);
  }
  if (role === "replica" && fault.delayMillis === 0) {
    all.push(["delay", "Delay 1 s", `?millis=${DELAY_MILLIS}`]);
  }
  if (fault.paused || fault.delayMillis > 0) {
    all.push(["restore", "Bring back", ""]);
  }
  if (role === "replica") {
    all.push(["promote", "Promote", ""]);
  }
  all.push(["kill", "Kill", ""]);
  return all;
}

function button({ name }, verb, label, query, disabled) {
  return element(
    "button",
    { class: `small ${verb}`, "data-verb": `${name}-${verb}`, "aria-label": `${label} ${name}`, disabled, onclick: () => act(name, verb, label, query) },
    label,
  );
}

async function act(name, verb, label, query) {
  busy.set(name, `${label.toLowerCase()} …`);
  byId("done").textContent = "";
  try {
    await send("POST", `/demo/servers/${name}/${verb}${query}`);
  } catch (failure) {
    if (!(failure instanceof Refused)) {
      throw failure;
    }
    byId("done").textContent = failure.message;
  } finally {
    busy.delete(name);
  }
}

async function showLoad() {
  const { json } = await send("GET", "/demo/load");
  const now = { at: performance.now(), reads: json.counts.reads };
  const rate = before && now.reads >= before.reads ? (1000 * (now.reads - before.reads)) / (now.at - before.at) : 0;
  before = now;
  if (document.activeElement !== byId("users")) {
    byId("users").value = json.users;
    byId("users-shown").textContent = json.users;
  }
  const { reads, fromReplicas, stale, failed, possiblyLost } = json.counts;
  byId("load-rate").textContent = json.users === 0 ? "–" : count(rate);
  byId("load-stale").textContent = count(stale);
  byId("load-stale").classList.toggle("bad", stale > 0);
  byId("load-replicas").textContent = reads === 0 ? "–" : percent(fromReplicas / reads);
  byId("load-failed").textContent = `${count(failed)}, ${count(possiblyLost)}`;
}
