"use strict";
(() => {
  const run = JSON.parse(document.getElementById("run").textContent);
  const byId = (id) => document.getElementById(id);
  const GUTTER = 116, RIGHT = 28, AXIS = 24, BAR = 15, MARKS = 20;
  const LANE = run.nodes.length > 16 ? 30 : 48, BLOCK = run.nodes.length > 16 ? 14 : 22;
  const SHORTEST = 50; // microseconds that a view holds at least
  const colour = (node) => `var(--c${node % 8})`;
  let from = 0, to = Math.max(run.end, 1), current = -1, dragged = null, frame = 0, labels = [];

  // Faults lie in as few rows as they fit in; more than five rows share the last.
  const rowEnds = [];
  for (const fault of run.faults) {
    const shown = Math.max(fault.to, fault.from + run.end / 60);
    let row = rowEnds.findIndex((end) => end <= fault.from);
    if (row < 0) row = rowEnds.length < 5 ? rowEnds.length : 4;
    rowEnds[row] = Math.max(rowEnds[row] || 0, shown);
    fault.row = row;
  }
  const top = { faults: AXIS, marks: AXIS + rowEnds.length * BAR + 4 };
  top.nodes = top.marks + MARKS + 4;
  top.lock = top.nodes + run.nodes.length * LANE + 6;
  top.counts = top.lock + 30;
  const height = top.counts + (run.counts ? 34 : 4);

  const both = twoAtOnce();

  function el(parent, name, attributes, tip) {
    const node = document.createElementNS("http://www.w3.org/2000/svg", name);
    for (const key in attributes) node.setAttribute(key, attributes[key]);
    if (tip) node.tip = tip;
    parent.appendChild(node);
    return node;
  }
  function words(parent, x, y, text, attributes) {
    el(parent, "text", { x, y, ...attributes }).textContent = text;
  }
  function width() { return Math.max(byId("chart").clientWidth, 420); }
  function scale() { return (width() - GUTTER - RIGHT) / (to - from); }
  function x(at) { return GUTTER + (at - from) * scale(); }
  function time(at) {
    const s = at / 1e6;
    if (run.end < 1200e6) return s.toFixed(to - from < 5e6 ? 4 : 3) + " s";
    const two = (n) => String(Math.floor(n)).padStart(2, "0");
    return `${two(s / 3600)}:${two(s / 60 % 60)}:${two(s % 60)}` + (to - from < 600e6 ? "." + String(Math.floor(at / 1e3) % 1000).padStart(3, "0") : "");
  }
  function lasts(us) {
    if (us < 1e3) return us + " µs";
    if (us < 1e6) return (us / 1e3).toFixed(1) + " ms";
    return us < 600e6 ? (us / 1e6).toFixed(2) + " s" : (us / 60e6).toFixed(0) + " min";
  }
  // The first element that ends after the left edge, of a list in the order of time.
  function firstFrom(list, at, key) {
    let low = 0, high = list.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (key(list[middle]) < at) low = middle + 1; else high = middle;
    }
    return low;
  }

  // When two nodes lead or work at the same time: [from, to, nodes].
  function twoAtOnce() {
    const edges = [];
    run.nodes.forEach((node, index) => {
      for (const [a, b] of node.belief) if (b > a) edges.push([a, 1, index], [b, -1, index]);
      for (const [a, b] of without(node.work, node.frozen)) if (b > a) edges.push([a, 1, index], [b, -1, index]);
    });
    edges.sort((one, other) => one[0] - other[0] || one[1] - other[1]);
    const held = run.nodes.map(() => 0), found = [];
    let open = null;
    for (const [at, change, node] of edges) {
      held[node] += change;
      const leading = held.flatMap((count, index) => (count > 0 ? [index] : []));
      if (leading.length > 1) open ??= [at, at, leading];
      else if (open) { if (at > open[0]) found.push([open[0], at, open[2]]); open = null; }
    }
    return found;
  }
  function without(spans, holes) {
    const left = [];
    for (const [a, b] of spans) {
      let start = a;
      for (const [c, d] of holes) {
        if (d <= start || c >= b) continue;
        if (c > start) left.push([start, c]);
        start = Math.max(start, d);
      }
      if (start < b) left.push([start, b]);
    }
    return left;
  }

  // Spans in view as boxes; those too narrow to be seen apart become one, as dark as they are dense.
  function boxes(spans) {
    const result = [];
    for (let i = firstFrom(spans, from, (span) => span[1]); i < spans.length && spans[i][0] <= to; i++) {
      const left = Math.max(x(spans[i][0]), GUTTER), right = Math.min(x(spans[i][1]), width() - RIGHT);
      const last = result[result.length - 1];
      const narrow = right - left < 3, dense = last && (last.count > 1 || last.right - last.left < 3);
      if (last && left - last.right < 1.5 && narrow && dense) {
        last.full += right - left; last.right = Math.max(right, last.right); last.count++;
      } else result.push({ left, right, full: right - left, count: 1, span: spans[i] });
    }
    return result;
  }
  function drawBoxes(svg, spans, y, h, attributes, say) {
    for (const box of boxes(spans)) {
      const w = Math.max(box.right - box.left, 1.5);
      const tip = box.count > 1 ? `${box.count} times here: zoom in` : say(box.span);
      const shape = el(svg, "rect", { x: box.left, y, width: w, height: h, rx: w > 6 ? 2 : 0, ...attributes }, tip);
      if (box.count > 1) shape.style.opacity = Math.max(.35, Math.min(1, box.full / w));
      if (attributes.label && w > 46 && box.count === 1) {
        labels.push([box.left + 5, y + h / 2 + 4, box.span[2], { class: attributes.label }]);
      }
    }
  }
  const spanTip = (what) => ([a, b, more]) => `${what}, ${more}\n${time(a)} to ${time(b)} (${lasts(b - a)})`;

  function drawAxis(svg) {
    const steps = [1, 2, 5].flatMap((n) => [-5, -4, -3, -2, -1, 0].map((power) => n * 10 ** power * 1e6))
      .concat([10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 14400, 43200, 86400].map((s) => s * 1e6)).sort((a, b) => a - b);
    const step = steps.find((one) => (to - from) / one <= width() / 95) || to - from;
    for (let at = Math.ceil(from / step) * step; at <= to; at += step) {
      el(svg, "line", { class: "axis", x1: x(at), x2: x(at), y1: AXIS - 5, y2: height });
      const label = run.end < 1200e6 ? +(at / 1e6).toFixed(5) + " s" : time(at);
      words(svg, x(at), 14, label, { class: "dim", "text-anchor": "middle" });
    }
    if (run.quiet >= from && run.quiet <= to) {
      el(svg, "line", { class: "quiet", x1: x(run.quiet), x2: x(run.quiet), y1: AXIS, y2: height }, `from ${time(run.quiet)} on nothing goes wrong`);
    }
  }
  function drawFaults(svg) {
    if (run.faults.length) words(svg, 8, top.faults + 12, "faults", { class: "dim" });
    for (const fault of run.faults) {
      const left = Math.max(x(fault.from), GUTTER), right = Math.min(x(fault.to), width() - RIGHT);
      if (fault.to < from || fault.from > to) continue;
      const w = Math.max(right - left, 3), y = top.faults + fault.row * BAR;
      const whom = fault.node === null ? "" : ` (n${fault.node})`;
      const tip = `${fault.name}${whom}\n${time(fault.from)}` + (fault.to > fault.from ? ` to ${time(fault.to)} (${lasts(fault.to - fault.from)})` : "");
      const [y1, h] = fault.node === null ? [top.nodes, top.counts - top.nodes - 6] : [top.nodes + fault.node * LANE, LANE - 4];
      el(svg, "rect", { class: "faulted", x: left, y: y1, width: w, height: h }, tip);
      el(svg, "rect", { class: "fault", x: left, y: y + 1, width: w, height: BAR - 3, rx: 2 }, tip);
      const label = fault.name + whom, needed = 6.6 * label.length + 8;
      const next = run.faults.find((other) => other.row === fault.row && other.from > fault.from);
      const free = Math.min(next ? x(next.from) : Infinity, width() - RIGHT) - left - w;
      if (w > needed) words(svg, left + 4, y + 11, label, { class: "in", "font-size": 11 });
      else if (free > needed) words(svg, left + w + 4, y + 11, label, { "font-size": 11 });
    }
  }
  function drawNode(svg, node, index) {
    const y = top.nodes + index * LANE, mine = run.nodes.length > 16 ? 4 : 8;
    el(svg, "rect", { class: "lane", x: GUTTER, y, width: width() - GUTTER - RIGHT, height: LANE - 4, rx: 3 });
    const name = node.name.length > 15 ? node.name.slice(0, 14) + "…" : node.name;
    words(svg, 8, y + BLOCK / 2 + 6, name, { style: `fill:${colour(index)};font-weight:600` });
    drawBoxes(svg, node.up, y + BLOCK + 2, 3, { class: "up" }, spanTip("up"));
    const fill = `fill:${colour(index)}`;
    drawBoxes(svg, node.belief, y + 2, BLOCK, { class: "belief", style: fill }, spanTip("leads by its own clock"));
    drawBoxes(svg, node.work, y + 5, BLOCK - 6, { style: fill, label: "on" }, spanTip("works"));
    drawBoxes(svg, node.frozen, y + 2, BLOCK, { class: "frozen" }, ([a, b, how]) => `${how}\n${time(a)} to ${time(b)} (${lasts(b - a)})`);
    drawClock(svg, node, y + LANE - mine - 1);
  }
  // How far a clock is off: the higher the strip, the further.
  function drawClock(svg, node, y) {
    node.clock.forEach(([at, ppm], i) => {
      const end = i + 1 < node.clock.length ? node.clock[i + 1][0] : run.end;
      if (ppm === 0 || end < from || at > to || end === at) return;
      const left = Math.max(x(at), GUTTER), right = Math.min(x(end), width() - RIGHT);
      const h = 1.2 + 2.8 * Math.min(1, Math.abs(ppm) / 100000);
      const text = (ppm > 0 ? "+" : "−") + +(Math.abs(ppm) / 10000).toFixed(4) + " %";
      el(svg, "rect", { class: "clock", x: left, y: y + 2.5 - h / 2, width: Math.max(right - left, 1), height: h }, `its clock runs at ${text}`);
      if (LANE > 40 && Math.abs(ppm) >= 50000 && right - left > 60) words(svg, left + 2, y - 2, text, { class: "dim", "font-size": 10 });
    });
  }
  const bad = (one) => one.zombie || (one.answer !== "done" && one.ended !== null) || one.answer === "no answer";
  function requestTip(one) {
    const parts = [`n${one.node}: ${one.name}, ${one.answer}`, `sent ${time(one.sent)}`];
    if (one.landed !== null) parts.push(`at the store ${time(one.landed)}` + (one.zombie ? ", when nobody waited for it any more" : ""));
    if (one.ended !== null) parts.push(`answered or given up ${time(one.ended)} (${lasts(one.ended - one.sent)})`);
    return parts.join("\n");
  }
  function drawRequests(svg) {
    if (!byId("requests").checked) return;
    const seen = [];
    for (let i = firstFrom(run.requests, from - 60e6, (one) => one.sent); i < run.requests.length && run.requests[i].sent <= to; i++) {
      if ((run.requests[i].ended ?? run.requests[i].sent) >= from) seen.push(run.requests[i]);
    }
    if (seen.length <= 900) { seen.forEach((one) => drawRequest(svg, one, seen.length <= 60)); return; }
    const bins = new Map();
    for (const one of seen) {
      const key = one.node + ":" + Math.floor(Math.max(x(one.sent), GUTTER) / 4);
      const bin = bins.get(key) || { all: 0, bad: 0 };
      bin.all++; bin.bad += bad(one) ? 1 : 0;
      bins.set(key, bin);
    }
    const most = Math.max(...[...bins.values()].map((bin) => bin.all));
    for (const [key, bin] of bins) {
      const [node, place] = key.split(":").map(Number), h = 2 + 6 * bin.all / most;
      const tip = `n${node}: ${bin.all} requests, ${bin.bad} of them failed or unknown; zoom in`;
      el(svg, "rect", { class: bin.bad ? "request bad" : "request", x: place * 4, y: top.nodes + node * LANE + BLOCK + 14 - h, width: 3.2, height: h }, tip);
    }
  }
  function drawRequest(svg, one, focusable) {
    const left = Math.max(x(one.sent), GUTTER), right = Math.min(x(one.ended ?? one.sent), width() - RIGHT);
    const y = top.nodes + one.node * LANE + BLOCK + 8;
    const attributes = { class: bad(one) ? "request bad" : "request", x: left, y, width: Math.max(right - left, 1.6), height: LANE > 40 ? 5 : 3 };
    if (focusable) Object.assign(attributes, { tabindex: 0, role: "img", "aria-label": requestTip(one) });
    el(svg, "rect", attributes, requestTip(one));
  }
  function drawLock(svg) {
    words(svg, 8, top.lock + 15, "the lock", { class: "dim" });
    const spans = run.lock.map((hold) => [hold.from, hold.to, hold.what, hold.holder]);
    for (const box of boxes(spans)) {
      const w = Math.max(box.right - box.left, 1.5), holder = box.span[3];
      const attributes = holder === null ? { class: "free" } : { style: `fill:${colour(holder)};fill-opacity:.75` };
      const tip = box.count > 1 ? `changed ${box.count} times here: zoom in` : `the lock's record: ${holder === null ? "" : "held by "}${box.span[2]}\n${time(box.span[0])} to ${time(box.span[1])} (${lasts(box.span[1] - box.span[0])})`;
      el(svg, "rect", { x: box.left, y: top.lock, width: w, height: 22, rx: w > 6 ? 3 : 0, ...attributes }, tip);
      if (w > 8 * box.span[2].length + 8 && box.count === 1) words(svg, box.left + 5, top.lock + 15, box.span[2], { class: holder === null ? "dim" : "on" });
    }
    if (!run.counts) return;
    words(svg, 8, top.counts + 20, "requests", { class: "dim" });
    const part = Math.ceil(run.end / 2000), most = Math.max(...run.counts);
    run.counts.forEach((count, i) => {
      if (!count || (i + 1) * part < from || i * part > to) return;
      const h = 26 * count / most;
      el(svg, "rect", { class: "request", x: Math.max(x(i * part), GUTTER), y: top.counts + 28 - h, width: Math.max(part * scale() - .3, .7), height: h }, `${count} requests in ${lasts(part)}; plain ones are counted, not listed, in a run this long`);
    });
  }
  function drawFound(svg) {
    for (const box of boxes(both)) {
      const [a, b, nodes] = box.span;
      const tip = `two at once: ${nodes.map((node) => "n" + node).join(" and ")}\n${time(a)} to ${time(b)} (${lasts(b - a)})`;
      for (const node of nodes) el(svg, "rect", { class: "both", x: box.left, y: top.nodes + node * LANE, width: Math.max(box.right - box.left, 3), height: BLOCK + 4 }, tip);
    }
    for (const step of run.steps) {
      if (step.kind !== "violation" || step.at < from || step.at > to) continue;
      el(svg, "line", { class: "found", x1: x(step.at), x2: x(step.at), y1: AXIS, y2: height }, step.text);
    }
  }
  const markColour = { violation: "var(--red)", fault: "var(--fault)", lock: "var(--ink)", node: "var(--dim)", told: "var(--line)" };
  function drawMarks(svg) {
    words(svg, 8, top.marks + 14, "events", { class: "dim" });
    let group = null;
    const groups = [];
    for (let i = firstFrom(run.steps, from, (step) => step.at); i < run.steps.length && run.steps[i].at <= to; i++) {
      const at = x(run.steps[i].at);
      if (group && at - group.x < 11) group.steps.push(i);
      else groups.push(group = { x: at, steps: [i] });
    }
    const order = ["violation", "fault", "lead", "work", "lock", "node", "told"];
    for (const { x: at, steps } of groups) {
      const all = steps.map((i) => run.steps[i]);
      const kind = order.find((one) => all.some((step) => step.kind === one));
      const led = all.find((step) => step.kind === kind);
      const fill = markColour[kind] || colour(led.node ?? 0);
      const tip = all.slice(0, 9).map(line).join("\n") + (all.length > 9 ? `\nand ${all.length - 9} more` : "");
      const mark = el(svg, "g", { class: "mark", tabindex: 0, role: "button", "aria-label": tip }, tip);
      const size = Math.min(8, 3.5 + all.length / 3), y = top.marks + MARKS / 2;
      if (kind === "violation") el(mark, "path", { d: `M${at} ${y - 8}L${at + 8} ${y + 7}L${at - 8} ${y + 7}Z`, style: `fill:${fill}` }, tip);
      else el(mark, "circle", { cx: at, cy: y, r: size, style: `fill:${fill};stroke:var(--dim);stroke-width:.6` }, tip);
      mark.addEventListener("click", () => select(steps[0], false));
      mark.addEventListener("keydown", (event) => { if (event.key === "Enter" || event.key === " ") { select(steps[0], true); event.preventDefault(); } });
    }
  }
  const line = (step) => `${time(step.at)}  ${step.node === null ? "" : "n" + step.node + " "}${step.text}`;

  function patterns(svg) {
    const defs = el(svg, "defs", {});
    const stripes = el(defs, "pattern", { id: "stripes", width: 7, height: 7, patternUnits: "userSpaceOnUse", patternTransform: "rotate(45)" });
    el(stripes, "rect", { width: 3, height: 7, style: "fill:var(--frozen)" });
    const crossed = el(defs, "pattern", { id: "crossed", width: 6, height: 6, patternUnits: "userSpaceOnUse", patternTransform: "rotate(-45)" });
    el(crossed, "rect", { width: 2.6, height: 6, style: "fill:var(--red)" });
  }
  function draw() {
    frame = 0;
    const chart = byId("chart"), focused = document.activeElement;
    const inside = focused !== chart && chart.contains(focused);
    const marks = focused && focused.classList.contains("mark") ? [...chart.querySelectorAll(".mark")].indexOf(focused) : -1;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg");
    svg.setAttribute("height", height); svg.setAttribute("viewBox", `0 0 ${width()} ${height}`);
    labels = []; patterns(svg); drawAxis(svg);
    run.nodes.forEach((node, index) => drawNode(svg, node, index));
    drawRequests(svg); drawFaults(svg); drawLock(svg); drawFound(svg); drawMarks(svg);
    labels.forEach((label) => words(svg, ...label));
    if (current >= 0) { const at = x(run.steps[current].at); if (at >= GUTTER) el(svg, "line", { class: "cursor", x1: at, x2: at, y1: AXIS, y2: height }); }
    chart.replaceChildren(svg);
    // What had the focus may be gone: the keys go on working.
    if (inside) (chart.querySelectorAll(".mark")[marks] || chart).focus({ preventScroll: true });
    byId("shown").textContent = `${time(from)} to ${time(to)} (${lasts(to - from)})`;
    chart.setAttribute("aria-label", `Timeline of ${run.nodes.length} nodes, ${time(from)} to ${time(to)} shown`);
    drawOverview(); drawEvents();
  }
  function later() { frame ||= requestAnimationFrame(draw); }
  function drawOverview() {
    const row = Math.max(2, Math.min(6, 48 / run.nodes.length)), h = row * run.nodes.length + 6;
    const svg = document.createElementNS("http://www.w3.org/2000/svg", "svg"), w = width();
    svg.setAttribute("height", h); svg.setAttribute("viewBox", `0 0 ${w} ${h}`);
    const at = (us) => GUTTER + us / run.end * (w - GUTTER - RIGHT);
    run.nodes.forEach((node, index) => {
      let last = -9;
      for (const [a, b] of node.work) {
        if (at(b) - last < 1) continue;
        last = Math.max(at(b), at(a) + 1);
        el(svg, "rect", { x: at(a), y: 3 + index * row, width: last - at(a), height: row - 1, style: `fill:${colour(index)}` });
      }
    });
    for (const step of run.steps) if (step.kind === "violation") el(svg, "line", { class: "found", x1: at(step.at), x2: at(step.at), y1: 0, y2: h });
    el(svg, "rect", { class: "window", x: at(from), y: .5, width: Math.max(at(to) - at(from), 2), height: h - 1 });
    byId("overview").replaceChildren(svg);
  }
  function drawEvents() {
    const MOST = 400, body = byId("events"), rows = [];
    const start = firstFrom(run.steps, from, (step) => step.at), end = firstFrom(run.steps, to + 1, (step) => step.at);
    const first = current >= start && current < end ? Math.max(start, Math.min(current - MOST / 2, end - MOST)) : start;
    for (let i = first; i < end && rows.length < MOST; i++) {
      const step = run.steps[i], row = document.createElement("tr"), button = document.createElement("button");
      if (step.kind === "violation" || step.kind === "fault") row.className = step.kind;
      if (i === current) row.classList.add("current");
      button.type = "button"; button.textContent = time(step.at).replace(" s", "");
      button.addEventListener("click", () => select(i, true));
      for (const content of [button, step.node === null ? "" : run.nodes[step.node]?.name ?? "n" + step.node, step.text]) {
        row.appendChild(document.createElement("td")).append(content);
      }
      rows.push(row);
    }
    const focused = body.contains(document.activeElement);
    body.replaceChildren(...rows);
    if (focused) body.querySelector(".current button")?.focus({ preventScroll: true });
    const left = run.left_out ? ` ${run.left_out} less telling ones of this run are left out.` : "";
    byId("events-count").textContent = `${end - start} events` + (end - start > rows.length ? `, ${rows.length} of them listed: zoom in for the others.` : ".") + left;
  }

  function view(a, b) {
    const length = Math.min(Math.max(b - a, SHORTEST), run.end);
    from = Math.min(Math.max(a, 0), run.end - length);
    to = from + length;
    later();
  }
  function zoom(by, around) { view(around - (around - from) * by, around + (to - around) * by); }
  function pan(by) { view(from + by, to + by); }
  function select(index, bring) {
    if (index < 0 || index >= run.steps.length) return;
    current = index;
    const step = run.steps[index];
    byId("now").textContent = `Event ${index + 1} of ${run.steps.length}: ${line(step)}`;
    const length = to - from;
    if (bring && (step.at < from + length * .05 || step.at > to - length * .05)) view(step.at - length / 2, step.at + length / 2);
    later();
  }
  function nearest(by) {
    if (current >= 0) return current + by;
    const place = firstFrom(run.steps, from, (step) => step.at);
    return by > 0 ? place : place - 1;
  }
  const middle = () => current >= 0 && run.steps[current].at >= from && run.steps[current].at <= to ? run.steps[current].at : (from + to) / 2;
  const actions = {
    whole: () => view(0, run.end), in: () => zoom(.5, middle()), out: () => zoom(2, middle()),
    left: () => pan(-(to - from) / 5), right: () => pan((to - from) / 5),
    previous: () => select(nearest(-1), true), next: () => select(nearest(1), true),
  };
  const keys = { "+": "in", "=": "in", "-": "out", "−": "out", "0": "whole", Home: "whole", ArrowLeft: "left", ArrowRight: "right", n: "next", N: "next", p: "previous", P: "previous" };
  byId("controls").addEventListener("click", (event) => { const what = event.target.dataset.do; if (what) actions[what](); });
  byId("requests").addEventListener("change", later);
  const chart = byId("chart");
  chart.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey || !keys[event.key]) return;
    actions[keys[event.key]](); event.preventDefault();
  });
  const under = (event) => from + (event.clientX - chart.getBoundingClientRect().left - GUTTER) / scale();
  chart.addEventListener("wheel", (event) => {
    if (event.ctrlKey) { zoom(event.deltaY < 0 ? .8 : 1.25, under(event)); event.preventDefault(); }
    else if (Math.abs(event.deltaX) > Math.abs(event.deltaY)) { pan(event.deltaX / scale()); event.preventDefault(); }
  }, { passive: false });
  chart.addEventListener("dblclick", (event) => zoom(.4, under(event)));
  chart.addEventListener("pointerdown", (event) => { dragged = { at: event.clientX, from }; });
  addEventListener("pointermove", (event) => {
    if (dragged && event.buttons & 1) { const a = dragged.from - (event.clientX - dragged.at) / scale(); view(a, a + to - from); hide(); }
    else dragged = null;
  });
  byId("overview").addEventListener("pointerdown", (event) => {
    const at = (event.clientX - chart.getBoundingClientRect().left - GUTTER) / (width() - GUTTER - RIGHT) * run.end;
    view(at - (to - from) / 2, at + (to - from) / 2);
  });

  const tip = document.createElement("div");
  tip.id = "tip"; tip.hidden = true; tip.setAttribute("role", "tooltip");
  document.body.appendChild(tip);
  function hide() { tip.hidden = true; }
  function show(text, left, below) {
    tip.textContent = text; tip.hidden = false;
    tip.style.left = Math.max(4, Math.min(left + 12, innerWidth - tip.offsetWidth - 8)) + "px";
    tip.style.top = (below + 16 + tip.offsetHeight > innerHeight ? below - tip.offsetHeight - 10 : below + 16) + "px";
  }
  chart.addEventListener("pointermove", (event) => { const text = event.target.tip; if (text && !dragged) show(text, event.clientX, event.clientY); else hide(); });
  chart.addEventListener("pointerleave", hide);
  chart.addEventListener("focusin", (event) => {
    if (!event.target.tip) return;
    const place = event.target.getBoundingClientRect();
    show(event.target.tip, place.left, place.bottom);
  });
  chart.addEventListener("focusout", hide);
  addEventListener("keydown", (event) => { if (event.key === "Escape") hide(); });
  addEventListener("resize", later);
  draw();
})();
