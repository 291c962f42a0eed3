// The page as a whole.

import { byId, element } from "./dom.js";
import { openReadBack } from "./readback.js";
import { openServers } from "./servers.js";
import { openStore } from "./store.js";
import { openTrace } from "./trace.js";

openTrace();
openServers();
openReadBack();
openStore();

byId("embed").addEventListener("click", () => {
  const place = byId("frame-place");
  const open = place.childElementCount === 0;
  place.replaceChildren(...(open ? [element("iframe", { title: "Dashboard", src: byId("dashboard-link").href })] : []));
  byId("embed").setAttribute("aria-expanded", String(open));
  byId("embed").textContent = open ? "Close it" : "Show it here";
});
