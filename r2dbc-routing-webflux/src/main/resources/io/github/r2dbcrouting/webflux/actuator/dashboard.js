// The page: what the stream tells becomes text in elements that are here already. Nothing of it ever becomes markup.

import { TimeChart, colour, sparkline, swatch } from "./charts.js";

const SECONDS = 120;
const KEPT_DECISIONS = 300;
const SHOWN_DECISIONS = 120;
const KEPT_EVENTS = 100;
const MOST_STACKED = 12;
const BUSIEST = 7;
const DENSE = 10;

const $ = id => document.getElementById(id);
const part = (element, testid) => element.querySelector(`[data-testid="${testid}"]`);

function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (value == null || value === false) continue;
    if (key === "class") made.className = value;
    else made.setAttribute(key, value === true ? "" : value);
  }
  made.append(...children.filter(child => child != null));
  return made;
}

function text(node, value) {
  if (node.textContent !== value) node.textContent = value;
}

function data(node, name, value) {
  const said = value == null ? "" : String(value);
  if (node.dataset[name] !== said) node.dataset[name] = said;
}

// ---- words for numbers

function millis(value) {
  if (value == null) return "–";
  if (value < 1) return value === 0 ? "0 ms" : "<1 ms";
  if (value < 999.5) return `${Math.round(value)} ms`;
  if (value < 60000) return `${+(value / 1000).toFixed(value < 9950 ? 1 : 0)} s`;
  const seconds = Math.round(value / 1000);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${seconds % 60} s`;
  return `${Math.floor(seconds / 3600)} h ${Math.floor(seconds % 3600 / 60)} min`;
}

function bytes(value) {
  if (value == null) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let at = 0;
  let left = value;
  while (left >= 1024 && at < units.length - 1) { left /= 1024; at++; }
  return `${at === 0 || left >= 99.5 ? Math.round(left) : +left.toFixed(1)} ${units[at]}`;
}

function rate(value) {
  if (value >= 10000) return `${(value / 1000).toFixed(1)} k`;
  return value >= 100 || Number.isInteger(value) ? Math.round(value).toLocaleString("en") : value.toFixed(1);
}

const clock = at => new Date(at).toLocaleTimeString([], { hour12: false });
const plural = (count, word) => `${count} ${word}${count === 1 ? "" : "s"}`;

// ---- what is known

const places = new Map();
const history = { times: [], servers: new Map() };
const rates = [];
let frame = null;
let decisions = [];
let arrived = [];
let events = [];
let highlighted = null;
let lagUnit = "time";
let opened = null; // the number of the decision that is explained
let listed = null;

function colourOf(server) {
  if (!places.has(server)) {
    const taken = new Set(places.values());
    let free = 0;
    while (taken.has(free)) free++;
    places.set(server, free);
  }
  return colour(places.get(server));
}

function track(server) {
  if (!history.servers.has(server)) {
    colourOf(server);
    const gap = () => history.times.map(() => null);
    history.servers.set(server, { lag: gap(), bytes: gap(), reads: gap() });
  }
  return history.servers.get(server);
}

function addPoint(time, valuesOf) {
  history.times.push(time);
  for (const [name, series] of history.servers) {
    const values = valuesOf(name);
    series.lag.push(values?.lag ?? null);
    series.bytes.push(values?.bytes ?? null);
    series.reads.push(values?.reads ?? null);
  }
}

function dropPoints(keep) {
  const kept = history.times.map(keep);
  const filter = values => values.filter((value, k) => kept[k]);
  history.times = filter(history.times);
  for (const series of history.servers.values()) {
    series.lag = filter(series.lag);
    series.bytes = filter(series.bytes);
    series.reads = filter(series.reads);
  }
}

/** A server that is gone is forgotten once the charts show nothing of it any more, and its colour with the last decision. */
function forget(present) {
  for (const [name, series] of history.servers) {
    const empty = [series.lag, series.bytes, series.reads].every(values => values.every(value => value == null));
    if (empty && !present.has(name)) history.servers.delete(name);
  }
  for (const name of places.keys()) {
    if (!history.servers.has(name) && !decisions.some(decision => decision.server === name)) places.delete(name);
  }
}

/** What there was before this page looked; what it has seen itself before that stays. */
function onPast(past) {
  const now = Date.now();
  const times = past.seconds.map(ago => now - ago * 1000);
  if (times.length > 1) dropPoints(time => time < times[0] - 500);
  for (const name of Object.keys(past.reads)) track(name);
  if (history.times.length) addPoint((times[0] ?? now) - 400, () => null);
  if (times.length > 1) {
    times.forEach((time, k) => addPoint(time, name => name in past.reads
      ? { lag: past.staleness[name][k], bytes: past.bytesBehind[name][k], reads: past.reads[name][k] } : null));
  }
  decisions = past.decisions.map(one => ({ ...one, at: now - one.ago })).reverse();
  arrived = [];
  listed = null;
  // the numbers may have begun anew: what is explained stays, and is none of these
  opened = null;
  events = past.events.map(one => ({ ...one, at: now - one.ago })).reverse();
  listDecisions();
  listEvents();
}

function onFrame(next) {
  const now = Date.now();
  frame = next;
  const perServer = new Map(next.servers.map(server => [server.name, { reads: 0, writes: 0 }]));
  for (const one of next.rates) {
    const sums = perServer.get(one.server);
    if (sums) sums[one.intent === "write" ? "writes" : "reads"] += one.perSecond;
  }
  next.servers.forEach(server => track(server.name));
  const byName = new Map(next.servers.map(server => [server.name, server]));
  if (next.seconds > 0) {
    dropPoints(time => time > now - (SECONDS + 5) * 1000);
    addPoint(now, name => byName.has(name)
      ? { lag: byName.get(name).staleness, bytes: byName.get(name).bytesBehind, reads: perServer.get(name).reads } : null);
    forget(byName);
    rates.push(next.rates);
    if (rates.length > 60) rates.shift();
  }
  const newest = arrived[0]?.id ?? decisions[0]?.id ?? -1;
  for (const one of next.decisions) if (one.id > newest) arrived.unshift({ ...one, at: now - one.ago });
  for (const one of next.events) {
    const event = { ...one, at: now - one.ago };
    if (events.length && events[0].id >= event.id) continue;
    events.unshift(event);
    announce(event.text);
  }
  events.length = Math.min(events.length, KEPT_EVENTS);
  showTiles(perServer);
  showServers(perServer);
  showCharts();
  showReasons();
  showPolicies();
  showSources();
  showFigures();
  showDecisions();
  if (next.events.length) listEvents();
  text($("cluster"), next.cluster ? `cluster ${next.cluster}` : "no server reached yet");
  document.title = next.primary ? `${next.primary} · r2dbc-routing` : "no primary · r2dbc-routing";
}

function announce(words) {
  text($("announcement"), words);
}

// ---- tiles

function tile(name, value, unit, note, tone = "") {
  const found = part(document, `tile-${name}`);
  const shown = found.querySelector(".value");
  if (shown.dataset.said !== `${value} ${unit}`) {
    shown.dataset.said = `${value} ${unit}`;
    shown.replaceChildren(value, ...(unit ? [element("small", {}, ` ${unit}`)] : []));
  }
  text(found.querySelector(".note"), note);
  data(found, "tone", tone);
  return found;
}

function showTiles(perServer) {
  const primary = frame.servers.find(server => server.primary);
  const replicas = frame.servers.filter(server => server.role === "replica" || (!server.primary && server.role === "unknown"));
  const serving = replicas.filter(server => server.status === "up" && !server.tooFarBehind && !server.ejected);
  const counters = frame.counters;
  tile("primary", frame.primary ?? "none", "", primary?.timeline ? `timeline ${primary.timeline}` : "writes wait for one",
    !primary ? "bad" : primary.status === "up" ? "" : "warn");
  tile("replicas", String(serving.length), `of ${replicas.length} serve`,
    lagNote(serving), replicas.length && !serving.length ? "bad" : serving.length < replicas.length ? "warn" : "");
  let reads = 0;
  let onPrimary = 0;
  let writes = 0;
  for (const [name, sums] of perServer) {
    reads += sums.reads;
    writes += sums.writes;
    if (name === frame.primary) onPrimary += sums.reads;
  }
  tile("reads", rate(reads), "/ s", `${rate(writes)} writes / s`);
  tile("share", reads > 0 ? String(Math.round((reads - onPrimary) / reads * 100)) : "–", reads > 0 ? "%" : "",
    reads > 0 ? `${rate(onPrimary)} / s from the primary` : "no reads");
  tile("waiting", String(counters.waiting), counters.waiting === 1 ? "read" : "reads",
    counters.pending ? `${plural(counters.pending, "write")} without position` : "for a replica or the primary",
    counters.waiting > 0 ? "warn" : "");
  const used = counters.fallbackInUse / Math.max(counters.fallbackLimit, 1);
  const budget = tile("budget", String(counters.fallbackInUse), `of ${counters.fallbackLimit} in use`,
    counters.fallbackQueued ? `${counters.fallbackQueued} queued` : counters.fallbackRefused ? `${counters.fallbackRefused} refused since the start` : "reads with the primary instead",
    used >= 1 ? "warn" : "");
  budget.querySelector(".meter i").style.width = `${Math.min(used, 1) * 100}%`;
}

function lagNote(serving) {
  const known = serving.map(server => server.staleness).filter(value => value != null);
  return known.length ? `at most ${millis(Math.max(...known))} old` : "";
}

// ---- the table of servers

const rows = new Map();
const CELLS = ["role", "state", "tags", "timeline", "position", "lag", "bytes", "spark", "reads", "writes", "pool", "weight"];

function row(server) {
  let known = rows.get(server.name);
  if (known) return known;
  known = { element: element("tr", { "data-testid": "server-row", "data-server": server.name }) };
  const name = element("span", { class: "name" }, swatch(colourOf(server.name)), server.name);
  known.problem = element("span", { class: "problem", hidden: true });
  known.element.append(element("th", { scope: "row" }, name, known.problem));
  for (const cell of CELLS) {
    const number = ["timeline", "lag", "bytes", "reads", "writes", "pool", "weight"].includes(cell);
    known[cell] = element("td", { "data-testid": cell, class: [number ? "number" : "", cell, cell === "position" ? "mono" : ""].join(" ").trim() });
    known.element.append(known[cell]);
  }
  known.canvas = element("canvas", { class: "sparkline", "aria-hidden": "true" });
  known.spark.append(known.canvas);
  known.element.addEventListener("pointerenter", () => highlight(server.name));
  known.element.addEventListener("pointerleave", () => highlight(null));
  rows.set(server.name, known);
  return known;
}

function highlight(name) {
  highlighted = name;
  if (frame) showCharts();
}

function chips(cell, list) {
  const said = list.map(([tone, words]) => `${tone} ${words}`).join("|");
  if (cell.dataset.said === said) return;
  cell.dataset.said = said;
  cell.replaceChildren(...list.map(([tone, words]) => element("span", { class: "chip", "data-tone": tone }, words)));
}

const STATUS_TONE = { up: "good", suspect: "warn", down: "bad", refused: "bad", disabled: "", unknown: "" };
const STATUS_WORD = { disabled: "drained", unknown: "not reached" };

function states(server) {
  const list = [[STATUS_TONE[server.status] ?? "", STATUS_WORD[server.status] ?? server.status]];
  if (!server.enabled && server.status !== "disabled") list.push(["", "drained as a replica"]);
  if (server.ejected) list.push(["warn", "left alone"]);
  if (server.tooFarBehind && server.status === "up") list.push(["bad", "too far behind"]);
  return list;
}

function lagTone(value) {
  if (value == null) return "";
  return value > 10000 ? "bad" : value > 1000 ? "warn" : "";
}

function showServers(perServer) {
  const body = $("servers");
  body.classList.toggle("dense", frame.servers.length > DENSE);
  const order = [...frame.servers].sort((a, b) => Number(b.primary) - Number(a.primary));
  order.forEach((server, at) => {
    const cells = row(server);
    const sums = perServer.get(server.name);
    if (body.children[at] !== cells.element) body.insertBefore(cells.element, body.children[at] ?? null);
    data(cells.element, "role", server.primary ? "primary" : server.role);
    data(cells.element, "status", server.status);
    data(cells.element, "lagMs", server.staleness);
    data(cells.element, "reads", sums.reads);
    cells.problem.hidden = !server.problem;
    text(cells.problem, server.problem ?? "");
    chips(cells.role, [[server.primary ? "accent" : "", server.role === "primary" && !server.primary ? "primary, not followed" : server.role]]);
    chips(cells.state, states(server));
    const tags = server.tags.join("\n");
    if (cells.tags.dataset.said !== tags) {
      cells.tags.dataset.said = tags;
      cells.tags.replaceChildren(...server.tags.map(tag => element("span", { class: "tag" }, tag)));
    }
    text(cells.timeline, server.timeline == null ? "–" : String(server.timeline));
    text(cells.position, server.position == null ? "–" : server.position.replace(/ on timeline \d+$/, ""));
    text(cells.lag, server.primary ? "" : millis(server.staleness));
    data(cells.lag, "tone", lagTone(server.staleness));
    text(cells.bytes, server.primary ? "" : bytes(server.bytesBehind));
    text(cells.reads, rate(sums.reads));
    text(cells.writes, sums.writes ? rate(sums.writes) : "");
    text(cells.pool, `${server.pool.acquired} / ${server.pool.max}${server.pool.pending ? ` +${server.pool.pending}` : ""}`);
    text(cells.weight, String(server.weight));
    cells.canvas.hidden = server.primary;
    if (!server.primary) sparkline(cells.canvas, history.servers.get(server.name).lag, colourOf(server.name), 500);
  });
  for (const [name, known] of rows) {
    if (!perServer.has(name)) { known.element.remove(); rows.delete(name); }
  }
  text($("servers-hint"), `${frame.servers.length} known, table ${frame.version.toLocaleString("en")}`);
}

// ---- charts

const readsChart = new TimeChart($("reads-chart"), { stacked: true, format: value => rate(value), least: 4 });
const lagChart = new TimeChart($("lag-chart"), { format: millis, least: 200 });

function showCharts() {
  const named = frame.servers.map(server => ({ name: server.name, colour: colourOf(server.name), known: history.servers.get(server.name), primary: server.primary }));
  readsChart.show(history.times, fewer(named.map(one => ({ ...one, values: one.known.reads }))), highlighted);
  const replicas = named.filter(one => !one.primary);
  const inTime = lagUnit === "time";
  lagChart.show(history.times, replicas.map(one => ({ ...one, values: inTime ? one.known.lag : one.known.bytes })), highlighted,
    inTime ? { format: millis, base: 10, least: 200 } : { format: bytes, base: 1024, least: 1024 });
  describe(readsChart.canvas, "Reads per second", named.map(one => [one.name, one.known.reads.at(-1)]), value => rate(value));
  describe(lagChart.canvas, "Lag of the replicas", replicas.map(one => [one.name, (inTime ? one.known.lag : one.known.bytes).at(-1)]), inTime ? millis : bytes);
}

/** A stack of many is noise: the primary, the busiest, the one that stands out, and the others as one. */
function fewer(series) {
  if (series.length <= MOST_STACKED) return series;
  const sum = one => one.values.reduce((all, value) => all + (value ?? 0), 0);
  const busiest = [...series].filter(one => !one.primary).sort((a, b) => sum(b) - sum(a)).slice(0, BUSIEST);
  const kept = series.filter(one => one.primary || one.name === highlighted || busiest.includes(one));
  const rest = series.filter(one => !kept.includes(one));
  const values = history.times.map((time, k) => (rest.every(one => one.values[k] == null) ? null : rest.reduce((all, one) => all + (one.values[k] ?? 0), 0)));
  return [...kept, { name: `${rest.length} others`, colour: "#8b95a7", values }];
}

/** A picture in words: the greatest now. The table has all. */
function describe(canvas, title, values, format) {
  const greatest = values.filter(([, value]) => value != null).sort((a, b) => b[1] - a[1]).slice(0, 3);
  canvas.setAttribute("aria-label", `${title}, now: ${greatest.map(([name, value]) => `${name} ${format(value)}`).join(", ") || "nothing known"}`);
}

for (const button of document.querySelectorAll("[data-unit]")) {
  button.addEventListener("click", () => {
    lagUnit = button.dataset.unit;
    document.querySelectorAll("[data-unit]").forEach(one => one.setAttribute("aria-pressed", String(one === button)));
    text($("lag-hint"), lagUnit === "time" ? "how old at most" : "history that the primary has and they lack");
    if (frame) showCharts();
  });
}

// ---- reasons

const REASONS = [
  ["any", "replica", "Nothing to cover", one => one.reason === "nothing_to_cover" && !one.waited],
  ["causal", "replica", "Causal: has what the session wrote", one => one.reason === "covers_token" && !one.waited],
  ["fresh", "replica", "No older than asked for", one => one.reason === "fresh_enough" && !one.waited],
  ["waited", "waited", "Waited for a replica", one => one.waited && ["nothing_to_cover", "covers_token", "fresh_enough"].includes(one.reason)],
  ["fallback", "fallback", "Primary instead: no replica fresh enough", one => ["no_replica_covers", "no_replica_fresh", "no_replica"].includes(one.reason)],
  ["pending", "primary", "Primary: last write has no position yet", one => one.reason === "write_pending"],
  ["lately", "primary", "Primary: wrote a moment ago", one => one.reason === "wrote_lately"],
  ["latest", "primary", "Primary: the latest was asked for", one => one.reason === "latest"],
  ["nobody", "nobody", "Nobody could serve", one => one.reason === "no_server"],
];
const reasonRows = new Map();

function showReasons() {
  const sums = new Map();
  let all = 0;
  for (const second of rates) {
    for (const one of second) {
      if (one.intent === "write") continue;
      const known = REASONS.find(([, , , matches]) => matches(one));
      if (!known) continue;
      sums.set(known[0], (sums.get(known[0]) ?? 0) + one.perSecond);
      all += one.perSecond;
    }
  }
  $("no-reads").hidden = all > 0;
  for (const [key, tone, label] of REASONS) {
    const sum = sums.get(key) ?? 0;
    let known = reasonRows.get(key);
    if (!known) {
      known = { element: element("tr", { "data-testid": "reason", "data-reason": key, "data-tone": tone }), fill: element("i"), percent: element("td", { class: "number percent" }), rate: element("td", { class: "number rate" }) };
      known.element.append(element("th", { scope: "row", class: "what" }, label), element("td", {}, element("span", { class: "rail", "aria-hidden": "true" }, known.fill)), known.percent, known.rate);
      reasonRows.set(key, known);
      $("reasons").append(known.element);
    }
    const percent = all > 0 ? sum / all * 100 : 0;
    known.element.hidden = sum === 0;
    data(known.element, "percent", percent.toFixed(1));
    known.fill.style.width = `${sum > 0 ? Math.max(percent, 0.7) : 0}%`;
    text(known.percent, `${percent < 10 && percent > 0 ? percent.toFixed(1) : Math.round(percent)} %`);
    text(known.rate, `${rate(sum / Math.max(rates.length, 1))} / s`);
  }
}

// ---- policies and sources

function showPolicies() {
  const said = JSON.stringify(frame.policies);
  if ($("policies").dataset.said === said) return;
  $("policies").dataset.said = said;
  $("policies").replaceChildren(...frame.policies.map(policy => {
    const given = policy.servers.map(server => element("span", { class: "server" }, swatch(colourOf(server)), server));
    if (!given.length) {
      given.push(policy.otherwise
        ? element("span", { class: "chip", "data-tone": "warn" }, `no replica: ${policy.otherwise} instead`)
        : element("span", { class: "chip", "data-tone": "bad" }, "nobody"));
    }
    return element("tr", { "data-testid": "policy-row", "data-policy": policy.name, "data-servers": policy.servers.join(",") },
      element("th", { scope: "row" }, policy.name, element("code", {}, policy.text ?? "any replica (not defined)")),
      element("td", {}, element("div", { class: "given" }, ...given)));
  }));
}

function showSources() {
  $("sources").replaceChildren(...frame.sources.map(source => element("p", { class: "source" },
    element("b", {}, source.name),
    element("span", {}, source.age == null ? "has not answered yet" : `asked ${millis(source.age)} ago`),
    source.problem ? element("span", { class: "wrong" }, source.problem) : null)));
}

// ---- decisions

function toneOf(decision) {
  return decision.server == null ? "bad" : decision.reason.startsWith("no_replica") ? "warn" : "";
}

function words(decision) {
  return [decision.server ?? "nobody", decision.role, decision.intent, decision.freshness, decision.policy ?? "", decision.reason.replaceAll("_", " "),
    decision.reason, decision.why, decision.waited > 0 ? "waited" : "", ...decision.candidates.map(one => one.refusal ?? "")].join(" ").toLowerCase();
}

function matching() {
  const terms = $("filter").value.toLowerCase().split(/\s+/).filter(Boolean);
  return decisions.filter(decision => {
    const all = terms.length ? words(decision) : "";
    return terms.every(term => all.includes(term));
  }).slice(0, SHOWN_DECISIONS);
}

function asked(decision) {
  return decision.intent === "write" ? "write" : `${decision.freshness} read`;
}

function decisionItem(decision) {
  const button = element("button", { type: "button", "data-testid": "decision", "data-id": decision.id, "aria-expanded": String(opened === decision.id), "aria-controls": "explanation" },
    element("time", {}, clock(decision.at)),
    element("span", { class: "who" }, decision.server ? swatch(colourOf(decision.server)) : null, decision.server ?? "nobody"),
    element("span", { class: "why" }, decision.why),
    element("span", { class: "asked" },
      element("span", { class: "chip" }, asked(decision)),
      decision.policy ? element("span", { class: "chip" }, decision.policy) : null,
      decision.waited > 0 ? element("span", { class: "chip", "data-tone": "warn" }, `waited ${millis(decision.waited)}`) : null));
  button.addEventListener("click", () => open(decision, button));
  return element("li", { "data-tone": toneOf(decision) }, button);
}

/** The list stands still under a pointer and while it has the focus; what comes meanwhile is counted. */
function showDecisions() {
  const held = $("decisions").matches(":hover, :focus-within") && decisions.length > 0;
  if (!held && arrived.length) {
    decisions = [...arrived, ...decisions].slice(0, KEPT_DECISIONS);
    arrived = [];
    listDecisions();
  }
  arrived.length = Math.min(arrived.length, KEPT_DECISIONS);
  const sampled = frame.oneIn > 1 ? `one of ${frame.oneIn.toLocaleString("en")} heard` : "a sample of each second";
  text($("decisions-hint"), held && arrived.length ? `${arrived.length} more when you leave the list` : sampled);
}

function listDecisions() {
  const shown = matching();
  const same = listed != null && listed.filter === $("filter").value && shown.length >= 1;
  const known = same ? listed.ids : new Set();
  const fresh = shown.filter(decision => !known.has(decision.id));
  if (same && fresh.length < shown.length) {
    $("decisions").prepend(...fresh.map(decisionItem));
    while ($("decisions").children.length > shown.length) $("decisions").lastElementChild.remove();
  } else {
    $("decisions").replaceChildren(...shown.map(decisionItem));
  }
  listed = { filter: $("filter").value, ids: new Set(shown.map(decision => decision.id)) };
  $("no-decisions").hidden = shown.length > 0;
  text($("no-decisions"), decisions.length ? "No decision that is kept fits the filter." : "No decision was heard yet.");
}

$("filter").addEventListener("input", listDecisions);

function open(decision, button) {
  if (opened === decision.id) { close(); return; }
  collapse();
  opened = decision.id;
  button.setAttribute("aria-expanded", "true");
  text($("explanation-title"), `${asked(decision)} → ${decision.server ?? "nobody"}`);
  text($("explanation-text"), `${decision.why[0].toUpperCase()}${decision.why.slice(1)}.`);
  const facts = [["Asked", asked(decision)], ["Policy", decision.policy ?? "none chose"], ["Role", decision.server ? decision.role : "–"],
    ["Waited", decision.waited > 0 ? millis(decision.waited) : "no"], ["At", clock(decision.at)]];
  $("explanation-facts").replaceChildren(...facts.map(([name, value]) => element("div", {}, element("dt", {}, name), element("dd", {}, value))));
  const order = [...decision.candidates].sort((a, b) => rank(a, decision) - rank(b, decision));
  $("candidates").replaceChildren(...order.map(candidate => element("tr", {},
    element("th", { scope: "row" }, element("span", { class: "who" }, swatch(colourOf(candidate.server)), candidate.server)),
    element("td", { class: candidate.refusal ? "no" : "" },
      candidate.server === decision.server ? element("span", { class: "chip", "data-tone": "good" }, "chosen")
        : candidate.refusal ? candidate.why : element("span", { class: "chip" }, "could have served")))));
  $("explanation").hidden = false;
  $("explanation").focus({ preventScroll: true });
  $("explanation").scrollIntoView({ block: "nearest" });
}

function collapse() {
  document.querySelectorAll("#decisions [aria-expanded=true]").forEach(one => one.setAttribute("aria-expanded", "false"));
}

function rank(candidate, decision) {
  return candidate.server === decision.server ? 0 : candidate.refusal == null ? 1 : 2;
}

/** The list may have been made anew since, without the decision: then it has the focus itself. */
function close() {
  collapse();
  if ($("explanation").contains(document.activeElement)) {
    const button = opened == null ? null : document.querySelector(`#decisions [data-id="${opened}"]`);
    (button ?? $("decisions")).focus();
  }
  opened = null;
  $("explanation").hidden = true;
}

$("close").addEventListener("click", close);
document.addEventListener("keydown", event => { if (event.key === "Escape" && !$("explanation").hidden) close(); });

// ---- events

const EVENT_TONE = { PrimaryChanged: "accent", WritePossiblyLost: "bad", TokenRejected: "warn", TopologyRefused: "warn" };

function listEvents() {
  $("no-events").hidden = events.length > 0;
  $("events").replaceChildren(...events.map(event => element("li", { "data-testid": "event", "data-kind": event.kind, "data-tone": EVENT_TONE[event.kind] ?? (/ is (down|refused|suspect)/.test(event.text) ? "bad" : "") },
    element("time", {}, clock(event.at)), element("span", {}, event.text))));
}

// ---- writes and positions

function showFigures() {
  const now = frame.counters;
  const figures = [
    ["Without a position now", now.pending ? `${now.pending}, the oldest ${millis(now.oldestPending)}` : "0", now.oldestPending > 1000 ? "warn" : ""],
    ["Given a position", now.captured.toLocaleString("en"), ""],
    ["Positions captured", `${now.captures.toLocaleString("en")}${now.captures ? `, ${(now.captured / now.captures).toFixed(1)} share one` : ""}`, ""],
    ["The last took", now.captures ? millis(now.lastCapture) : "–", ""],
    ["Nudges", now.nudges.toLocaleString("en"), ""],
    ["Replicas that lack the newest", now.uncovered ? `${now.uncovered}, for ${millis(now.oldestUncovered)}` : "0", now.oldestUncovered > 5000 ? "warn" : ""],
    ["Possibly lost", now.possiblyLost.toLocaleString("en"), now.possiblyLost ? "bad" : ""],
    ["Positions rejected", now.rejectedPositions.toLocaleString("en"), now.rejectedPositions ? "warn" : ""],
    ["Primaries followed", now.primariesFollowed.toLocaleString("en"), ""],
    ["Fallbacks refused", now.fallbackRefused.toLocaleString("en"), ""],
  ];
  const said = JSON.stringify(figures);
  if ($("figures").dataset.said === said) return;
  $("figures").dataset.said = said;
  $("figures").replaceChildren(...figures.map(([name, value, tone]) => element("div", { "data-tone": tone }, element("dt", {}, name), element("dd", {}, value))));
}

// ---- the stream

let source = null;
let retry = null;
let paused = false;

function state(name) {
  if ($("connection").dataset.state === name) return;
  data($("connection"), "state", name);
  text($("connection"), name);
}

function connect() {
  clearTimeout(retry);
  if (source || paused || document.hidden) return;
  state("connecting");
  source = new EventSource("stream");
  source.addEventListener("past", event => onPast(JSON.parse(event.data)));
  source.addEventListener("frame", event => { state("live"); onFrame(JSON.parse(event.data)); });
  source.addEventListener("error", () => {
    state("reconnecting");
    // the browser tries again by itself, unless it was refused
    if (source?.readyState === EventSource.CLOSED) {
      disconnect();
      retry = setTimeout(connect, 5000);
    }
  });
}

function disconnect() {
  clearTimeout(retry);
  source?.close();
  source = null;
}

document.addEventListener("visibilitychange", () => {
  if (document.hidden) { disconnect(); state("paused"); } else connect();
});
addEventListener("pagehide", disconnect);
addEventListener("pageshow", connect);

$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", String(paused));
  text($("pause"), paused ? "Resume" : "Pause");
  announce(paused ? "Paused" : "Live again");
  if (paused) { disconnect(); state("paused"); } else connect();
});

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => { if (frame) { showCharts(); } });
connect();
