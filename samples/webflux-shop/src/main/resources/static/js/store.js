// What does a customer do here? Each step reads back what it wrote, with a request of its own.

import { Refused, send } from "./api.js";
import { byId, count, element, icon, money, serverName } from "./dom.js";

let cart = [];

export async function openStore() {
  byId("order").addEventListener("click", () => attempt(placeOrder));
  byId("report").addEventListener("click", () => attempt(showRevenue));
  await attempt(async () => {
    await showWares();
    await showCart();
    await showOrders();
  });
}

/** Runs a step; what the shop refuses is told, and nothing else is lost. */
async function attempt(step) {
  const done = byId("done");
  try {
    await step();
    done.textContent = "";
  } catch (failure) {
    if (!(failure instanceof Refused)) {
      throw failure;
    }
    done.textContent = failure.message;
  }
}

async function showWares() {
  const { json } = await send("GET", "/api/products");
  byId("wares").replaceChildren(
    ...json.map((product) =>
      element(
        "li",
        {},
        icon(product.icon),
        element("h3", {}, product.name),
        element("p", { class: "hint" }, product.description),
        element("p", { class: "stock" }, `${count(product.stock)} left`),
        element(
          "p",
          { class: "row" },
          element("b", { class: "grow" }, money(product.priceCents)),
          element("button", { "aria-label": `Add ${product.name}`, onclick: () => attempt(() => add(product.id)) }, "Add"),
        ),
      ),
    ),
  );
}

function add(productId) {
  const line = cart.find((each) => each.productId === productId);
  return put(productId, (line?.quantity ?? 0) + 1);
}

async function put(productId, quantity) {
  await send("PUT", `/api/cart/${productId}?quantity=${quantity}`);
  await showCart();
}

async function showCart() {
  const { json } = await send("GET", "/api/cart");
  cart = json;
  byId("cart").replaceChildren(
    ...cart.map((line) =>
      element(
        "li",
        { class: "row" },
        element("span", { class: "grow" }, line.name),
        element("button", { class: "small", "aria-label": `One ${line.name} less`, onclick: () => attempt(() => put(line.productId, line.quantity - 1)) }, "−"),
        element("span", { class: "quantity" }, String(line.quantity)),
        element("button", { class: "small", "aria-label": `One ${line.name} more`, onclick: () => attempt(() => put(line.productId, line.quantity + 1)) }, "+"),
        element("span", { class: "amount" }, money(line.priceCents * line.quantity)),
      ),
    ),
  );
  if (cart.length === 0) {
    byId("cart").append(element("li", { class: "hint" }, "Nothing in it yet."));
  }
  byId("total").textContent = money(cart.reduce((sum, line) => sum + line.priceCents * line.quantity, 0));
  byId("order").disabled = cart.length === 0;
}

async function placeOrder() {
  await send("POST", "/api/orders");
  await showOrders();
  await showCart();
  await showWares();
}

async function showOrders() {
  const { json } = await send("GET", "/api/orders");
  byId("orders").replaceChildren(
    ...json.map((order) =>
      element(
        "li",
        { class: "row", "data-order": order.id },
        element("span", { class: "grow" }, `No. ${order.id} `, element("span", { class: "badge" }, order.status)),
        order.status === "placed" ? element("button", { class: "small", onclick: () => attempt(() => ship(order.id)) }, "Send to warehouse") : undefined,
        element("span", { class: "amount" }, money(order.totalCents)),
      ),
    ),
  );
  if (json.length === 0) {
    byId("orders").append(element("li", { class: "hint" }, "None yet."));
  }
}

async function ship(id) {
  await send("POST", `/api/orders/${id}/shipment`);
  await send("GET", `/api/orders/${id}/status`);
  await showOrders();
}

async function showRevenue() {
  const { json } = await send("GET", "/api/reports/revenue");
  const most = Math.max(1, ...json.map((row) => row.cents));
  byId("revenue").replaceChildren(
    ...json.map((row) => {
      const bar = element("span", { class: "bar" });
      bar.style.width = `${(100 * row.cents) / most}%`;
      return element("li", {}, element("span", {}, row.name), element("span", { class: "track" }, bar), element("span", { class: "amount" }, money(row.cents)));
    }),
  );
  byId("report-by").replaceChildren("Counted by ", serverName(json[0]?.server ?? "nobody"), ".");
}
