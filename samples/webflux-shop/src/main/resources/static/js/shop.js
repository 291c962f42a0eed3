// The page as a whole.

import { openReadBack } from "./readback.js";
import { openServers } from "./servers.js";
import { openStore } from "./store.js";
import { openTrace } from "./trace.js";

openTrace();
openServers();
openReadBack();
openStore();
