// The page stands without this: it adds axes to choose, notes while hovering, pins, and tables that can be sorted.
"use strict";

// Tables: a button in each head; numbers by value, empty cells last.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.querySelectorAll("th:not([colspan])")];
  heads.forEach((head, index) => {
    const column = Number(head.dataset.column ?? index);
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      heads.forEach((other) => other.removeAttribute("aria-sort"));
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const key = (row) => row.cells[column].dataset.sort;
      body.append(...[...body.rows].sort((a, b) => compare(key(a), key(b), down ? -1 : 1)));
    });
  });
}

function compare(a, b, sign) {
  if (a === "" || b === "") return (a === "") - (b === "");
  const difference = Number(a) - Number(b);
  return sign * (Number.isNaN(difference) ? a.localeCompare(b) : difference);
}

// The chart: all places come with the page; here points are only moved to them.
const chart = document.getElementById("scatter");
if (chart) {
  const { field, axes } = JSON.parse(document.getElementById("places").textContent);
  const stage = document.getElementById("stage");
  const tip = document.getElementById("tip");
  const points = [...chart.querySelectorAll(".point")];
  const choosers = { x: document.getElementById("axis-x"), y: document.getElementById("axis-y") };
  const atX = (part) => field.left + part * (field.right - field.left);
  const atY = (part) => field.bottom - part * (field.bottom - field.top);
  const notes = new Map();
  let pinned = null;

  const make = (name, attributes, text) => {
    const made = document.createElementNS(chart.namespaceURI, name);
    for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
    if (text !== undefined) made.textContent = text;
    return made;
  };

  function drawTicks(way, axis) {
    const parts = axis.ticks.flatMap(([part, label]) => {
      const at = way === "x" ? atX(part) : atY(part);
      return way === "x"
        ? [make("line", { x1: at, x2: at, y1: field.top, y2: field.bottom }), make("text", { x: at, y: field.bottom + 18 }, label)]
        : [make("line", { x1: field.left, x2: field.right, y1: at, y2: at }), make("text", { x: field.left - 8, y: at + 4 }, label)];
    });
    document.getElementById("ticks-" + way).replaceChildren(...parts);
    document.getElementById("title-" + way).textContent = axis.title + " →";
  }

  // Steps through what no other point of the front beats in both figures.
  function staircase(found, x, y) {
    const signX = x.more ? -1 : 1, signY = y.more ? 1 : -1;
    let path = "", best = Infinity;
    for (const [px, py] of found.sort((a, b) => signX * (a[0] - b[0]) || signY * (a[1] - b[1]))) {
      if (signY * py >= best) continue;
      path += path ? `H${px}V${py}` : `M${px} ${py}`;
      best = signY * py;
    }
    return path;
  }

  function draw() {
    const x = axes[choosers.x.value], y = axes[choosers.y.value];
    drawTicks("x", x);
    drawTicks("y", y);
    const front = [];
    for (const point of points) {
      const partX = x.places[point.dataset.trial], partY = y.places[point.dataset.trial];
      if (partX === undefined || partY === undefined) {
        point.setAttribute("display", "none");
        continue;
      }
      const place = [atX(partX), atY(partY)];
      point.removeAttribute("display");
      point.setAttribute("transform", `translate(${place[0].toFixed(1)} ${place[1].toFixed(1)})`);
      if (point.matches("a")) front.push(place.map((value) => Number(value.toFixed(1))));
    }
    document.getElementById("best").setAttribute("d", staircase(front, x, y));
    chart.setAttribute("aria-label", `${y.title} over ${x.title} of ${points.length} trials, ${front.length} of them on the front`);
    show(pinned);
  }

  function show(point) {
    tip.hidden = !point || point.getAttribute("display") === "none";
    if (tip.hidden) return;
    const [head, ...lines] = notes.get(point);
    const strong = document.createElement("strong");
    strong.textContent = head;
    tip.replaceChildren(strong, lines.join("\n"));
    const outer = stage.getBoundingClientRect(), box = point.getBoundingClientRect();
    const left = box.left - outer.left, top = box.top - outer.top;
    const before = left > outer.width / 2;
    tip.style.left = `${before ? left - tip.offsetWidth - 8 : left + box.width + 8}px`;
    tip.style.top = `${Math.max(0, Math.min(top - 20, outer.height - tip.offsetHeight))}px`;
  }

  function pin(point) {
    pinned = point === pinned ? null : point;
    points.forEach((other) => other.classList.toggle("pinned", other === pinned));
    for (const row of document.querySelectorAll("tr[data-trial]")) {
      row.classList.toggle("pinned", pinned !== null && row.dataset.trial === pinned.dataset.trial);
    }
    show(pinned);
  }

  for (const point of points) {
    // The browser's own tooltip would stand beside ours.
    const title = point.querySelector("title");
    notes.set(point, title.textContent.split("\n"));
    point.setAttribute("aria-label", notes.get(point).join("; "));
    title.remove();
    point.addEventListener("pointerenter", () => show(point));
    point.addEventListener("pointerleave", () => show(pinned));
    point.addEventListener("focus", () => show(point));
    point.addEventListener("blur", () => show(pinned));
    point.addEventListener("click", (event) => {
      event.preventDefault();
      pin(point);
    });
  }
  for (const row of document.querySelectorAll("tr[data-trial]")) {
    row.addEventListener("click", (event) => {
      if (!event.target.closest("a")) pin(points.find((point) => point.dataset.trial === row.dataset.trial));
    });
  }
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && pinned) pin(pinned);
  });
  for (const chooser of Object.values(choosers)) chooser.addEventListener("change", draw);
  document.getElementById("axes").hidden = document.getElementById("help").hidden = false;
  draw();
}
