// Charts on a canvas: lines or a stack over the last two minutes, and sparklines. No data ever becomes markup here.

const COLOURS = ["#5661d6", "#17a398", "#e0902a", "#c64fa0", "#6aa334", "#3a9bdc", "#9a6bd8", "#b08444", "#5f7f96", "#d8647a"];

/** A server keeps its colour, by its place among those that are known. */
export function colour(index) {
  if (index < COLOURS.length) return COLOURS[index];
  return `hsl(${Math.round((index * 137.508) % 360)} 52% 56%)`;
}

function style(name) {
  return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
}

/** Sizes a canvas for its box and the screen, and returns its context in CSS pixels; nothing while it has no box. */
function context(canvas) {
  const { width, height } = canvas.getBoundingClientRect();
  if (width < 1 || height < 1) return null;
  const scale = window.devicePixelRatio || 1;
  const [w, h] = [Math.round(width * scale), Math.round(height * scale)];
  if (canvas.width !== w || canvas.height !== h) [canvas.width, canvas.height] = [w, h];
  const g = canvas.getContext("2d");
  g.setTransform(scale, 0, 0, scale, 0, 0);
  g.clearRect(0, 0, width, height);
  return { g, width, height };
}

/** Round steps, about four of them: 1, 2 or 5 times a power of ten, or a power of two where bytes are counted. */
function step(most, base) {
  const raw = most / 4;
  if (base === 1024) return 2 ** Math.ceil(Math.log2(raw));
  const power = 10 ** Math.floor(Math.log10(raw));
  return power * [1, 2, 5, 10].find(times => times * power >= raw * (1 - 1e-9));
}

export class TimeChart {
  /** options: stacked, format(value), base (10 or 1024), least (the least top of the axis), seconds (the window). */
  constructor(figure, options) {
    this.figure = figure;
    this.canvas = figure.querySelector("canvas");
    this.plot = figure.querySelector(".plot");
    this.legend = figure.querySelector(".legend");
    this.options = { seconds: 120, base: 10, least: 1, ...options };
    this.times = [];
    this.series = [];
    this.hover = null;
    this.tip = document.createElement("div");
    this.tip.className = "tip";
    this.tip.hidden = true;
    this.plot.append(this.tip);
    this.plot.addEventListener("pointermove", event => {
      this.hover = event.clientX - this.plot.getBoundingClientRect().left;
      this.draw();
    });
    this.plot.addEventListener("pointerleave", () => { this.hover = null; this.draw(); });
    new ResizeObserver(() => this.draw()).observe(this.plot);
  }

  /** series: [{name, colour, values}], each as long as times; null where nothing is known. */
  show(times, series, highlighted, options) {
    this.times = times;
    this.series = series;
    this.highlighted = highlighted;
    Object.assign(this.options, options);
    this.draw();
    this.tellLegend();
  }

  tellLegend() {
    const names = this.series.map(one => one.name).join("\n");
    if (names === this.legendNames) return;
    this.legendNames = names;
    this.legend.replaceChildren(...(this.series.length > 13 ? [] : this.series.map(one => {
      const item = document.createElement("li");
      item.append(swatch(one.colour), one.name);
      return item;
    })));
  }

  draw() {
    const drawn = context(this.canvas);
    if (!drawn) return;
    const { g, width, height } = drawn;
    const box = { left: 58, right: width - 6, top: 8, bottom: height - 22 };
    const last = this.times.length ? this.times[this.times.length - 1] : Date.now();
    const x = time => box.right - (last - time) / 1000 / this.options.seconds * (box.right - box.left);
    const layers = this.options.stacked ? stack(this.series, this.times.length) : this.series;
    let most = this.options.least;
    for (const layer of layers) for (const value of layer.values) if (value > most) most = value;
    const unit = step(most, this.options.base);
    const top = Math.ceil(most / unit - 1e-9) * unit;
    const y = value => box.bottom - value / top * (box.bottom - box.top);

    g.font = "11px system-ui, -apple-system, 'Segoe UI', sans-serif";
    g.textBaseline = "middle";
    g.lineWidth = 1;
    for (let value = 0; value <= top + unit / 2; value += unit) {
      const at = Math.round(y(value)) + 0.5;
      g.strokeStyle = style(value === 0 ? "--line" : "--grid");
      line(g, box.left, at, box.right, at);
      g.fillStyle = style("--faint");
      g.textAlign = "right";
      g.fillText(this.options.format(value), box.left - 8, at);
    }
    const apart = box.right - box.left < 380 ? 60 : 30;
    for (let ago = 0; ago <= this.options.seconds; ago += apart) {
      const at = box.right - ago / this.options.seconds * (box.right - box.left);
      g.textAlign = ago === 0 ? "right" : ago === this.options.seconds ? "left" : "center";
      g.fillText(ago === 0 ? "now" : `${ago} s ago`, at, height - 8);
    }

    g.save();
    g.beginPath();
    g.rect(box.left, box.top - 4, box.right - box.left, box.bottom - box.top + 6);
    g.clip();
    if (this.options.stacked) this.areas(g, layers, x, y);
    else this.lines(g, layers, x, y);
    g.restore();
    this.point(g, box, x, y, layers);
  }

  areas(g, layers, x, y) {
    for (let i = layers.length - 1; i >= 0; i--) {
      const layer = layers[i];
      g.globalAlpha = this.faded(layer.name) ? 0.2 : 0.82;
      g.fillStyle = layer.colour;
      for (const [from, to] of runs(layer.values)) {
        g.beginPath();
        for (let k = from; k <= to; k++) g.lineTo(x(this.times[k]), y(layer.values[k]));
        for (let k = to; k >= from; k--) g.lineTo(x(this.times[k]), y(layer.under[k]));
        g.closePath();
        g.fill();
      }
    }
    g.globalAlpha = 1;
  }

  lines(g, layers, x, y) {
    g.lineJoin = "round";
    for (const layer of layers) {
      g.globalAlpha = this.faded(layer.name) ? 0.15 : 1;
      g.strokeStyle = layer.colour;
      g.lineWidth = this.highlighted === layer.name ? 2.6 : layers.length > 12 ? 1.1 : 1.8;
      for (const [from, to] of runs(layer.values)) {
        g.beginPath();
        for (let k = from; k <= to; k++) g.lineTo(x(this.times[k]), y(layer.values[k]));
        if (from === to) g.lineTo(x(this.times[from]) + 1, y(layer.values[from]));
        g.stroke();
      }
    }
    g.globalAlpha = 1;
  }

  faded(name) {
    return this.highlighted != null && this.highlighted !== name && this.series.some(one => one.name === this.highlighted);
  }

  /** What there was where the pointer is. */
  point(g, box, x, y, layers) {
    let nearest = -1;
    if (this.hover != null) {
      this.times.forEach((time, k) => {
        if (x(time) >= box.left - 1 && (nearest < 0 || Math.abs(x(time) - this.hover) < Math.abs(x(this.times[nearest]) - this.hover))) nearest = k;
      });
    }
    this.tip.hidden = nearest < 0;
    if (nearest < 0) return;
    const at = Math.round(x(this.times[nearest])) + 0.5;
    g.strokeStyle = style("--faint");
    g.lineWidth = 1;
    g.setLineDash([3, 3]);
    line(g, at, box.top, at, box.bottom);
    g.setLineDash([]);
    const values = this.series.map((one, i) => ({ name: one.name, colour: one.colour, value: one.values[nearest], top: layers[i].values[nearest] }))
      .filter(one => one.value != null);
    for (const one of values) {
      g.fillStyle = one.colour;
      g.beginPath();
      g.arc(at, y(one.top), 2.6, 0, 7);
      g.fill();
    }
    values.sort((a, b) => b.value - a.value);
    const when = document.createElement("p");
    when.textContent = new Date(this.times[nearest]).toLocaleTimeString();
    const list = document.createElement("ul");
    for (const one of values.slice(0, 8)) {
      const item = document.createElement("li");
      const value = document.createElement("b");
      value.textContent = this.options.format(one.value);
      item.append(swatch(one.colour), one.name, value);
      list.append(item);
    }
    if (values.length > 8) {
      const item = document.createElement("li");
      item.textContent = `and ${values.length - 8} more`;
      list.append(item);
    }
    this.tip.replaceChildren(when, list);
    const right = at > (box.left + box.right) / 2;
    this.tip.style.left = right ? "auto" : `${at + 12}px`;
    this.tip.style.right = right ? `${this.plot.clientWidth - at + 12}px` : "auto";
    this.tip.style.top = "10px";
  }
}

function line(g, x1, y1, x2, y2) {
  g.beginPath();
  g.moveTo(x1, y1);
  g.lineTo(x2, y2);
  g.stroke();
}

/** Where a series has values: pairs of the first and the last index. */
function runs(values) {
  const found = [];
  let from = -1;
  values.forEach((value, k) => {
    const known = value != null;
    if (known && from < 0) from = k;
    if (!known && from >= 0) { found.push([from, k - 1]); from = -1; }
  });
  if (from >= 0) found.push([from, values.length - 1]);
  return found;
}

function stack(series, length) {
  const sums = new Array(length).fill(0);
  return series.map(one => {
    const under = sums.slice();
    const values = one.values.map((value, k) => (value == null ? null : (sums[k] += value)));
    return { name: one.name, colour: one.colour, under, values };
  });
}

export function swatch(fill) {
  const element = document.createElement("span");
  element.className = "swatch";
  element.style.background = fill;
  return element;
}

/** A line without axes, and its last point. */
export function sparkline(canvas, values, stroke, least) {
  const drawn = context(canvas);
  if (!drawn) return;
  const { g, width, height } = drawn;
  let most = least;
  for (const value of values) if (value > most) most = value;
  const x = k => 2 + k / Math.max(values.length - 1, 1) * (width - 6);
  const y = value => height - 3 - value / most * (height - 6);
  g.lineJoin = "round";
  g.lineWidth = 1.5;
  g.strokeStyle = stroke;
  g.fillStyle = stroke;
  for (const [from, to] of runs(values)) {
    g.beginPath();
    for (let k = from; k <= to; k++) g.lineTo(x(k), y(values[k]));
    g.stroke();
    g.globalAlpha = 0.14;
    g.lineTo(x(to), height - 2);
    g.lineTo(x(from), height - 2);
    g.fill();
    g.globalAlpha = 1;
  }
  const end = values.length - 1;
  if (end >= 0 && values[end] != null) {
    g.beginPath();
    g.arc(x(end), y(values[end]), 2.1, 0, 7);
    g.fill();
  }
}
