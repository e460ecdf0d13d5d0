/* Explorers: Plotly panels in place of a figure's picture, moved together by one slider.

   Their data stand in the page as JSON, one script element each, `explorer-` and the identifier of the figure; the fields are those of
   scripts/common/explorer.py. An explorer starts when its figure comes near the part of the page that is seen. Its picture stays in the
   page for those who cannot see the panels, for print, and for a button that shows it again. */

"use strict";

(() => {
  const NEAR = "400px";
  const PAUSE = 400; // milliseconds between the stops of a slider that plays
  const LONG_PAUSE = 1200; // the same for readers who ask for less motion
  const TURNS = 4; // how much faster a slider that turns boxes plays
  const SEEN = 1.6; // how much is seen of a box, in half sides: from its middle to every side
  const LIFT = 0.4; // how far colors go to white where the page is dark
  const VIRIDIS = ["#440154", "#3b528b", "#21918c", "#5ec962", "#fde725"];
  const DASHES = { line: "solid", dashed: "7px,3px", dotted: "2px,2px", dashdotted: "7px,2px,2px,2px" };
  const SYMBOLS = { dots: ["circle", 5], triangles: ["triangle-up", 8], ticks: ["line-ns-open", 8] };
  const PAGE_COLORS = { ink: "--ink", quiet: "--quiet", rest: "--rest" };

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const calm = matchMedia("(prefers-reduced-motion: reduce)");

  // Look ----------------------------------------------------------------------------------------------------------------------

  function ofPage(name) {
    return getComputedStyle(document.documentElement).getPropertyValue(name).trim();
  }

  function painted(color) {
    if (color in PAGE_COLORS) return ofPage(PAGE_COLORS[color]);
    if (!dark.matches) return color;
    const lifted = [1, 3, 5].map(at => parseInt(color.slice(at, at + 2), 16)).map(part => Math.round(part + LIFT * (255 - part)));
    return `rgb(${lifted.join(", ")})`;
  }

  // What Plotly reads as a part of HTML: of it some tags without attributes, so that no text becomes a link; and no dollar, behind which
  // it looks for a formula.
  const worded = text => text.replace(/<(?!\/?(?:i|sub|sup|br)>)/g, "&lt;").replaceAll("$", "&#36;");

  function axisOf(axis, spiked) {
    const range = [axis.low, axis.high].map(axis.logarithmic ? Math.log10 : Number);
    const marks = axis.logarithmic ? { type: "log", dtick: Math.ceil((range[1] - range[0]) / 6) } : { type: "linear", nticks: 6 };
    return {
      ...marks,
      range,
      title: { text: worded(axis.title), standoff: 4 },
      exponentformat: "power",
      tickfont: { size: axis.logarithmic ? 11 : 13 }, // Plotly enlarges powers of ten
      ticklabeloverflow: "allow",
      fixedrange: true,
      zeroline: false,
      showline: true,
      linecolor: ofPage("--quiet"),
      gridcolor: ofPage("--rule"),
      ticks: "outside",
      ticklen: 3,
      tickcolor: ofPage("--quiet"),
      showspikes: spiked,
      spikemode: "across",
      spikethickness: 1,
      spikedash: "dot",
      spikecolor: ofPage("--quiet"),
    };
  }

  // Boxes: panels with a third axis, of which each is scaled to run from -1 to 1 ----------------------------------------------

  // The directions to the right, up, and toward the eye at a stop.
  function eyeAt(view, stop, stops) {
    const radians = Math.PI / 180;
    const around = radians * (view.azimuth + 360 * stop / stops);
    const above = radians * view.elevation;
    const [x, y] = [Math.cos(around), Math.sin(around)];
    return {
      right: [-y, x, 0],
      up: [-Math.sin(above) * x, -Math.sin(above) * y, Math.cos(above)],
      toward: [Math.cos(above) * x, Math.cos(above) * y, Math.sin(above)],
    };
  }

  const along = (direction, point) => direction[0] * point[0] + direction[1] * point[1] + direction[2] * point[2];

  // The edges of a box, dotted where the box itself would hide them, and the titles of its axes at edges near the eye.
  function frameOf(panel, eye) {
    const seen = (...point) => [along(eye.right, point), along(eye.up, point)];
    const near = eye.toward.map(part => (part < 0 ? -1 : 1));
    const shapes = [];
    for (const axis of [0, 1, 2]) {
      for (const [one, other] of [[-1, -1], [-1, 1], [1, -1], [1, 1]]) {
        const ends = [-1, 1].map(end => [...[one, other].slice(0, axis), end, ...[one, other].slice(axis)]);
        const hidden = ends[0].every((part, at) => at === axis || part === -near[at]);
        const [[x0, y0], [x1, y1]] = ends.map(end => seen(...end));
        const line = { color: ofPage("--rest"), width: 1, dash: hidden ? "dot" : "solid" };
        shapes.push({ type: "line", layer: "below", x0, y0, x1, y1, line });
      }
    }
    const left = [[-1, -1], [-1, 1], [1, -1], [1, 1]].reduce((one, other) => (seen(...other, 0)[0] < seen(...one, 0)[0] ? other : one));
    const titles = [
      [panel.x.title, seen(0, 1.2 * near[1], -1.15), 0],
      [panel.y.title, seen(1.2 * near[0], 0, -1.15), 0],
      [panel.z.title, seen(...left, 0).map((part, at) => part - (at ? 0 : 0.15)), -90],
    ];
    // a title near a side begins or ends there, so that none leaves the panel
    const anchor = (x, angle) => (angle || Math.abs(x) < SEEN / 3 ? "center" : x < 0 ? "left" : "right");
    const annotations = titles.map(([text, [x, y], textangle]) => (
      { text: worded(text), x, y, textangle, xanchor: anchor(x, textangle), showarrow: false, font: { size: 12 } }
    ));
    return { shapes, annotations };
  }

  // Places along the axes of a box, from -1 to 1, as they are seen.
  function seenIn(box, places, direction) {
    const scaled = [box.x, box.y, box.z].map((axis, at) => places[at].map(value => 2 * (value - axis.low) / (axis.high - axis.low) - 1));
    return scaled[0].map((x, at) => along(direction, [x, scaled[1][at], scaled[2][at]]));
  }

  function layoutOfBox(panel, eye) {
    const axis = { range: [-SEEN, SEEN], visible: false, fixedrange: true };
    const axes = { xaxis: axis, yaxis: { ...axis, scaleanchor: "x" } };
    return { ...layoutOf(panel), ...axes, ...frameOf(panel, eye), margin: { l: 0, r: 0, t: 0, b: 0 } };
  }

  function layoutOf(panel) {
    const font = { family: getComputedStyle(document.body).fontFamily, size: 13, color: ofPage("--ink") };
    return {
      margin: { l: 58, r: 10, t: 12, b: 40 },
      paper_bgcolor: ofPage("--paper"),
      plot_bgcolor: ofPage("--paper"),
      font,
      xaxis: axisOf(panel.x, panel.linked > 0),
      yaxis: axisOf(panel.y, panel.linked === 1),
      hoverlabel: { bgcolor: ofPage("--paper"), bordercolor: ofPage("--quiet"), font },
      hovermode: "closest",
      hoverdistance: 30,
      dragmode: false,
      showlegend: false,
      bargap: 0.2,
    };
  }

  function markerOf(trace, shades) {
    const [symbol, size] = SYMBOLS[trace.kind];
    const marker = { symbol, size, color: painted(trace.color), line: { width: trace.kind === "ticks" ? 1.5 : 0 } };
    if (!shades) return marker;
    return {
      ...marker,
      color: shades,
      colorscale: VIRIDIS.map((color, place) => [place / (VIRIDIS.length - 1), painted(color)]),
      showscale: trace.shades_title !== "",
      colorbar: { title: { text: worded(trace.shades_title), side: "top" }, thickness: 8, len: 1, outlinewidth: 0, nticks: 4, ypad: 0 },
    };
  }

  // The trace as Plotly draws it at a stop. What comes first in a panel lies on top.
  function traceOf(trace, place, valuesOf, stop) {
    const drawn = { name: worded(trace.name), x: valuesOf(trace, "x", stop), y: valuesOf(trace, "y", stop) };
    const told = trace.told ? { hovertemplate: `${worded(trace.told)}<extra></extra>` } : { hoverinfo: "skip" };
    if (trace.places) drawn.customdata = Array.from(trace.places[0], (x, at) => [x, trace.places[1][at], trace.places[2][at]]);
    if (trace.kind === "bars") return { ...drawn, ...told, type: "bar", marker: { color: trace.color.map(painted) } };
    if (trace.kind in DASHES) {
      const line = { color: painted(trace.color), width: trace.color === "rest" ? 1 : 1.8, dash: DASHES[trace.kind] };
      return { ...drawn, ...told, type: "scatter", mode: "lines", line, zorder: -place };
    }
    const marker = markerOf(trace, trace.shades === null ? null : valuesOf(trace, "shades", stop));
    return { ...drawn, ...told, type: "scatter", mode: "markers", marker, zorder: -place, cliponaxis: false };
  }

  // Elements ------------------------------------------------------------------------------------------------------------------

  function element(tag, attributes = {}, ...content) {
    const made = document.createElement(tag);
    for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
    made.append(...content);
    return made;
  }

  function decoded(text) {
    if (Uint8Array.fromBase64) return Uint8Array.fromBase64(text);
    const letters = atob(text);
    const bytes = new Uint8Array(letters.length); // filled letter by letter: Uint8Array.from with a function takes fifty times as long
    for (let at = 0; at < bytes.length; at += 1) bytes[at] = letters.charCodeAt(at);
    return bytes;
  }

  const nextFrame = () => new Promise(requestAnimationFrame);
  const after = milliseconds => new Promise(done => setTimeout(done, milliseconds));

  // Plotly's bundle, which stands in the page compressed, as a script that the page's policy knows by its hash: it is unpacked while
  // the rest of the page is read, beside that, and run once.
  const unpacked = (() => {
    const packed = decoded(document.getElementById("plotly").textContent);
    return new Response(new Blob([packed]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  })();
  let run = null;
  function plotly() {
    return run ??= unpacked.then(text => {
      const script = element("script");
      script.textContent = text;
      document.body.append(script);
    });
  }

  // One explorer --------------------------------------------------------------------------------------------------------------

  async function explore(figure, data) {
    await plotly();
    const arrays = data.arrays.map(text => new Float32Array(decoded(text).buffer));
    const last = data.stops.length - 1;
    let stop = data.hint ? -1 : 0; // -1: none yet
    let drawnStop = stop;
    let drawing = false;
    let playing = false;

    // The values of a trace at a stop: a row of an array with one for each stop, or all of it.
    function valuesOf(trace, key, at) {
      if (trace.places && key !== "shades") return seenIn(trace.box, trace.places, key === "x" ? eye(at).right : eye(at).up);
      const values = arrays[trace[key]];
      return values.length === trace.points ? values : values.subarray(at * trace.points, (at + 1) * trace.points);
    }

    const eye = at => eyeAt(data.view, Math.max(at, 0), data.stops.length);
    const layoutAt = (panel, at) => (panel.z ? layoutOfBox(panel, eye(at)) : layoutOf(panel));
    for (const box of data.panels.filter(panel => panel.z)) {
      for (const trace of box.traces) Object.assign(trace, { box, places: ["x", "y", "z"].map(key => arrays[trace[key]]) });
    }

    const moves = trace => trace.box || ["x", "y"].some(key => arrays[trace[key]].length > trace.points);

    const picture = figure.querySelector(".picture");
    const name = picture.getAttribute("aria-label");
    const play = element("button", { type: "button" }, "Play");
    const slider = element("input", { type: "range", min: 0, max: last, step: 1, value: Math.max(stop, 0) });
    const readout = element("output", {}, data.hint || data.readout[stop]);
    const swap = element("button", { type: "button" }, "Show the picture");
    const panels = data.panels.map(panel => ({ ...panel, moving: [...panel.traces.keys()].filter(at => moves(panel.traces[at])) }));
    const plays = panels.some(panel => panel.moving.length > 0);
    const grid = element("div", { class: `panels of-${data.columns}` });
    for (const panel of panels) {
      panel.plot = element("div", { class: panel.z ? "plot turns" : "plot" });
      if (panel.traces.length) {
        panel.plot.setAttribute("role", "img");
        panel.plot.setAttribute("aria-label", panel.title);
      }
      const content = panel.traces.length ? panel.plot : element("p", {}, panel.message);
      grid.append(element("div", { class: `panel span-${panel.span}` }, element("p", { class: "panel-title" }, panel.title), content));
    }
    const key = element("ul", { class: "key" });
    for (const entry of data.key) key.append(element("li", {}, element("span", { class: `swatch ${entry.kind}` }), entry.words));
    const controls = element("div", { class: "controls" }, element("label", {}, `${data.slider} `, slider), readout);
    if (plays) controls.prepend(play);
    const parts = element("div", { class: "explorer-parts" }, controls, grid, key);
    const box = element("div", { class: "explorer", role: "group", "aria-label": `Explorer of ${name}` }, parts, swap);
    const drawable = panels.filter(panel => panel.traces.length > 0);
    const linked = drawable.filter(panel => panel.linked > 0);

    function tell() {
      slider.value = Math.max(stop, 0);
      slider.setAttribute("aria-valuetext", stop < 0 ? data.hint : data.stops[stop]);
      if (stop >= 0) readout.textContent = data.readout[stop];
    }

    async function paint() {
      data.key.forEach((entry, at) => { key.children[at].firstChild.style.color = painted(entry.color); });
      for (const panel of drawable) {
        const traces = panel.traces.map((trace, at) => traceOf(trace, at, valuesOf, Math.max(stop, 0)));
        await Plotly.react(panel.plot, traces, layoutAt(panel, stop), { displayModeBar: false, doubleClick: false });
        await nextFrame();
      }
    }

    // Move what moves to the stop; while that takes its time, only the latest of the stops that follow is drawn.
    async function move() {
      if (drawing) return;
      drawing = true;
      while (drawnStop !== stop) {
        const to = stop;
        for (const panel of drawable.filter(panel => panel.moving.length > 0)) {
          const rows = panel.moving.map(at => panel.traces[at]);
          const change = Object.fromEntries(["x", "y"].map(key => [key, rows.map(trace => valuesOf(trace, key, to))]));
          if (panel.z) await Plotly.update(panel.plot, change, frameOf(panel, eye(to)), panel.moving);
          else await Plotly.restyle(panel.plot, change, panel.moving);
        }
        drawnStop = to;
        box.dataset.stop = to;
        await nextFrame();
      }
      drawing = false;
    }

    // Mark the point of the stop in all linked panels but the one that the reader points at.
    function mark(pointedAt) {
      for (const panel of linked.filter(panel => panel !== pointedAt)) {
        Plotly.Fx.hover(panel.plot, [...Array(panel.linked).keys()].map(trace => ({ curveNumber: trace, pointNumber: stop })));
      }
    }

    function go(to, pointedAt = null) {
      stop = to;
      tell();
      mark(pointedAt);
      return move();
    }

    function pause() {
      playing = false;
      play.textContent = "Play";
      readout.setAttribute("aria-live", "polite");
    }

    async function start() {
      playing = true;
      play.textContent = "Pause";
      readout.setAttribute("aria-live", "off"); // or a screen reader would read every step that passes
      if (stop === last) await go(0);
      while (playing && stop < last) {
        await after(calm.matches ? LONG_PAUSE : PAUSE / (data.view ? TURNS : 1));
        if (playing) await go(stop + 1);
      }
      pause();
    }

    // Turn all boxes by dragging one of them: by half a turn over its width.
    function turnable(panel) {
      let from = null;
      panel.plot.addEventListener("pointerdown", event => {
        from = [event.clientX, Math.max(stop, 0)];
        panel.plot.setPointerCapture(event.pointerId);
        pause();
      });
      panel.plot.addEventListener("pointermove", event => {
        if (from === null) return;
        const turned = Math.round((event.clientX - from[0]) / panel.plot.offsetWidth * data.stops.length / 2);
        const to = (((from[1] - turned) % data.stops.length) + data.stops.length) % data.stops.length;
        if (to !== stop) go(to);
      });
      for (const end of ["pointerup", "pointercancel"]) panel.plot.addEventListener(end, () => { from = null; });
    }

    // Keep room for the longest readout, so that nothing moves below it while the reader points there.
    function reserve() {
      const said = readout.textContent;
      readout.style.minHeight = "";
      readout.textContent = data.readout.reduce((one, other) => (other.length > one.length ? other : one));
      readout.style.minHeight = `${readout.offsetHeight}px`;
      readout.textContent = said;
    }

    function fit() {
      if (parts.hidden) return;
      reserve();
      drawable.forEach(panel => Plotly.Plots.resize(panel.plot));
    }

    function show(explored) {
      figure.classList.toggle("explored", explored);
      picture.tabIndex = explored ? -1 : 0;
      parts.hidden = !explored;
      swap.textContent = explored ? "Show the picture" : "Show the explorer";
      if (!explored) pause();
    }

    play.addEventListener("click", () => (playing ? pause() : start()));
    slider.addEventListener("input", () => { pause(); go(Number(slider.value)); });
    swap.addEventListener("click", () => { show(parts.hidden); fit(); });
    picture.after(box);
    show(true);
    tell();
    reserve();
    await paint();
    for (const panel of linked) {
      panel.plot.on("plotly_hover", event => {
        const pointed = event.points?.[0].pointNumber; // none where `mark` is what points
        if (pointed !== undefined) go(pointed, panel);
      });
      panel.plot.on("plotly_unhover", () => linked.filter(other => other !== panel).forEach(other => Plotly.Fx.unhover(other.plot)));
    }
    drawable.filter(panel => panel.z).forEach(turnable);
    dark.addEventListener("change", paint);
    let width = box.offsetWidth;
    new ResizeObserver(() => {
      if (box.offsetWidth !== width && box.offsetWidth > 0) fit();
      width = box.offsetWidth;
    }).observe(box);
    new IntersectionObserver(([seen]) => seen.isIntersecting || pause()).observe(box);
    box.dataset.stop = stop;
    box.dataset.ready = "";
  }

  // All explorers, one after the other as their figures come near ------------------------------------------------------------------

  let turn = Promise.resolve();
  const watch = new IntersectionObserver(entries => {
    for (const entry of entries.filter(entry => entry.isIntersecting)) {
      watch.unobserve(entry.target);
      const data = document.getElementById(`explorer-${entry.target.id}`);
      turn = turn.then(() => explore(entry.target, JSON.parse(data.textContent))).catch(error => {
        entry.target.classList.remove("explored"); // the picture stands again
        entry.target.querySelector(".explorer")?.remove();
        console.error(error);
      });
    }
  }, { rootMargin: NEAR });

  document.addEventListener("DOMContentLoaded", () => {
    for (const data of document.querySelectorAll('script[id^="explorer-"]')) {
      watch.observe(document.getElementById(data.id.slice("explorer-".length)));
    }
    (window.requestIdleCallback ?? setTimeout)(plotly); // once the page is drawn, so that the first explorer need not wait for it
  });
})();
