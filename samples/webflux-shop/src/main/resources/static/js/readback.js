// Does a user see what was just saved? Once, by hand, or a thousand times.

import { Refused, send } from "./api.js";
import { byId, count, element, millis, percent, serverName } from "./dom.js";

const ROUNDS = 1000;
const SHOWN_EVERY = 20;

export function openReadBack() {
  byId("note-form").addEventListener("submit", (event) => {
    event.preventDefault();
    once();
  });
  byId("many").addEventListener("click", many);
}

async function round(text) {
  const saved = await send("PUT", "/api/note", { text });
  const read = await send("GET", "/api/note");
  return { saved, read, stale: read.json.revision < saved.json.revision };
}

async function once() {
  const result = byId("read-back");
  try {
    const { saved, read, stale } = await round(byId("note").value);
    const why = read.servedBy.at(-1)?.reason ?? "";
    result.classList.toggle("bad", stale);
    result.replaceChildren(
      `Saved as revision ${saved.json.revision}, read back as ${read.json.revision} from `,
      serverName(read.json.server),
      ` (${read.json.replica ? "a replica" : "the primary"}) in ${millis(read.millis)}: `,
      element("em", {}, why),
      ".",
    );
  } catch (failure) {
    result.classList.add("bad");
    result.replaceChildren(told(failure));
  }
}

async function many() {
  const button = byId("many");
  const seen = { rounds: 0, stale: 0, replicas: 0, failed: 0, servers: new Map() };
  button.disabled = true;
  byId("many-result").hidden = false;
  try {
    for (let i = 1; i <= ROUNDS; i++) {
      try {
        const { read, stale } = await round(`${byId("note").value} (${i})`);
        seen.rounds++;
        seen.stale += stale ? 1 : 0;
        seen.replicas += read.json.replica ? 1 : 0;
        seen.servers.set(read.json.server, (seen.servers.get(read.json.server) ?? 0) + 1);
      } catch (failure) {
        told(failure);
        seen.failed++;
      }
      if (i % SHOWN_EVERY === 0) {
        show(seen);
      }
    }
  } finally {
    show(seen);
    button.disabled = false;
  }
}

/** What the shop refused is told; anything else is a mistake of the page's. */
function told(failure) {
  if (!(failure instanceof Refused)) {
    throw failure;
  }
  return failure.message;
}

function show(seen) {
  byId("rounds").textContent = count(seen.rounds);
  byId("stale").textContent = count(seen.stale);
  byId("stale").classList.toggle("bad", seen.stale > 0);
  byId("failed").textContent = count(seen.failed);
  byId("replica-share").textContent = seen.rounds === 0 ? "–" : percent(seen.replicas / seen.rounds);
  const servers = [...seen.servers].sort(([a], [b]) => a.localeCompare(b));
  byId("share").setAttribute("aria-label", servers.map(([name, reads]) => `${name}: ${reads} reads`).join(", "));
  byId("share").replaceChildren(
    ...servers.map(([name, reads]) => {
      const part = element("span", { "data-server": name.replace(/\D/g, ""), title: `${name}: ${reads} reads` }, name);
      part.style.flexGrow = String(reads);
      return part;
    }),
  );
}
