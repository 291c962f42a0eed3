// How is an element made, and a number shown?

export const byId = (id) => document.getElementById(id);

/** An element with attributes and children; a child may be a text. */
export function element(name, attributes = {}, ...children) {
  const made = document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) {
      made.addEventListener(key.slice(2), value);
    } else if (value !== false && value !== undefined && value !== null) {
      made.setAttribute(key, value === true ? "" : value);
    }
  }
  made.append(...children.filter((child) => child !== undefined && child !== null));
  return made;
}

/** A dot in the colour of a server, with its name. */
export function serverName(name) {
  return element("span", { class: "server-name", "data-server": name.replace(/\D/g, "") }, name);
}

export function icon(name) {
  const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS("http://www.w3.org/2000/svg", "use");
  use.setAttribute("href", `#${name}`);
  svg.append(use);
  return svg;
}

export const money = (cents) => (cents / 100).toLocaleString("en", { minimumFractionDigits: 2, maximumFractionDigits: 2 });
export const count = (number) => Math.round(number).toLocaleString("en");
export const millis = (number) => `${number < 10 ? number.toFixed(1) : Math.round(number)} ms`;
/** Rounded down: 100 % says that there was no exception. */
export const percent = (share) => `${(Math.floor(share * 1000) / 10).toFixed(1)} %`;
