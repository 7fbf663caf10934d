// A ball-and-stick viewer on a plain canvas: no library, no WebGL.
// It draws the scenes in #farfield-scenes (positions in Å, turned to their principal axes).
"use strict";

window.addEventListener("error", (event) => {
  document.documentElement.dataset.error = event.message;
});

(() => {
  const island = (id) => JSON.parse(document.getElementById(id).textContent);
  const scenes = island("farfield-scenes");
  const scale = island("farfield-scale").map((hex) =>
    [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16)));
  const BOND = 0.13; // Å, half the width of a stick
  const EYE = 5; // distance of the eye, in radii of the scene

  // --- colours: [r, g, b] in 0..255 ---------------------------------------------------
  const mix = (a, b, share) => a.map((part, i) => part + (b[i] - part) * share);
  const css = (colour, alpha = 1) => `rgba(${colour.map(Math.round).join(",")},${alpha})`;
  const WHITE = [255, 255, 255], BLACK = [0, 0, 0], UNKNOWN = [150, 150, 150];

  function pageColour(name) {
    const hex = getComputedStyle(document.documentElement).getPropertyValue(name).trim();
    return [1, 3, 5].map((i) => parseInt(hex.slice(i, i + 2), 16));
  }

  function scoreColour(quantile) {
    if (quantile === null) return UNKNOWN;
    // Logarithmic in the tail: 0.9 stands in the middle, 0.99 at the end.
    const place = Math.min(1, -Math.log10(Math.max(1 - quantile, 0.01)) / 2) * (scale.length - 1);
    const below = Math.min(Math.floor(place), scale.length - 2);
    return mix(scale[below], scale[below + 1], place - below);
  }

  // --- rotations: rows of a 3 x 3 matrix ----------------------------------------------
  const times = (a, b) => a.map((row) => [0, 1, 2].map((j) =>
    row[0] * b[0][j] + row[1] * b[1][j] + row[2] * b[2][j]));
  const apply = (m, p) => m.map((row) => row[0] * p[0] + row[1] * p[1] + row[2] * p[2]);
  const aboutX = (t) => [[1, 0, 0], [0, Math.cos(t), -Math.sin(t)], [0, Math.sin(t), Math.cos(t)]];
  const aboutY = (t) => [[Math.cos(t), 0, Math.sin(t)], [0, 1, 0], [-Math.sin(t), 0, Math.cos(t)]];
  const START = times(aboutX(0.42), aboutY(-0.32)); // off the principal plane: depth is seen

  function viewer(canvas) {
    const scene = scenes[Number(canvas.dataset.scene)];
    const figure = canvas.closest("figure");
    const output = figure.querySelector("output");
    const pen = canvas.getContext("2d");
    const scored = scene.values.some((value) => value !== null);
    const state = { rotation: START, zoom: 1, colour: scored ? "score" : "element", atom: -1 };
    let shown = []; // the atoms as drawn: {index, x, y, r}, farthest first
    let waiting = false;

    const reach = Math.max(1, ...[...scene.points, ...scene.corners].map((p) => Math.hypot(...p)))
      + 0.4;

    function extent(axis) { // half the extent of the first view, in Å
      const along = (p, margin) => Math.abs(apply(START, p)[axis]) + margin;
      return Math.max(1.3, ...scene.points.map((p, i) => along(p, scene.radii[i])),
        ...scene.corners.map((p) => along(p, 0.1)));
    }

    const wide = extent(0), tall = extent(1);

    function draw() {
      waiting = false;
      const width = canvas.clientWidth, height = canvas.clientHeight;
      const dense = window.devicePixelRatio || 1;
      canvas.width = Math.round(width * dense);
      canvas.height = Math.round(height * dense);
      pen.setTransform(dense, 0, 0, dense, 0, 0);
      pen.clearRect(0, 0, width, height);
      const paper = pageColour("--panel"), ink = pageColour("--ink");
      const size = 0.43 * Math.min(width / wide, height / tall) * state.zoom;
      const project = (p) => {
        const [x, y, z] = apply(state.rotation, p);
        const near = (EYE * reach) / (EYE * reach - z);
        return { x: width / 2 + size * near * x, y: height / 2 - size * near * y, z, near };
      };
      const fade = (colour, z) => mix(colour, paper, 0.32 * Math.min(1, Math.max(0,
        (0.6 * reach - z) / (1.6 * reach))));
      const colourOf = (i) => state.colour === "score"
        ? scoreColour(scene.values[i]) : scene.colours[i];

      pen.strokeStyle = css(ink, 0.45);
      pen.lineWidth = 1;
      for (const [i, j] of scene.edges) line(project(scene.corners[i]), project(scene.corners[j]));

      const parts = scene.points.map((p, index) => ({ kind: "atom", index, ...project(p) }));
      for (const [i, j] of scene.bonds) for (const [a, b] of [[i, j], [j, i]]) {
        const from = scene.points[a], to = scene.points[b];
        const length = Math.hypot(...from.map((c, k) => to[k] - c)) || 1;
        const at = (share) => project(from.map((c, k) => c + share * (to[k] - c)));
        const start = Math.min(0.45, (0.85 * scene.radii[a]) / length);
        parts.push({ kind: "stick", atom: a, start: at(start), end: at(0.5), z: at(0.25).z });
      }
      parts.sort((a, b) => a.z - b.z);
      shown = [];
      for (const part of parts) {
        if (part.kind === "stick") stick(part, size, fade(colourOf(part.atom), part.z), ink);
        else {
          const r = size * part.near * scene.radii[part.index];
          shown.push({ index: part.index, x: part.x, y: part.y, r });
          ball(part, r, fade(colourOf(part.index), part.z), ink);
        }
      }
    }

    function line(a, b) {
      pen.beginPath();
      pen.moveTo(a.x, a.y);
      pen.lineTo(b.x, b.y);
      pen.stroke();
    }

    function stick({ start, end }, size, colour, ink) {
      pen.lineCap = "butt";
      const width = 2 * BOND * size * start.near;
      for (const [share, tone] of [[1, mix(colour, mix(ink, BLACK, 0.5), 0.35)],
        [0.78, mix(colour, BLACK, 0.08)], [0.25, mix(colour, WHITE, 0.35)]]) {
        pen.lineWidth = width * share;
        pen.strokeStyle = css(tone);
        line(start, end);
      }
    }

    function ball({ x, y, index }, r, colour, ink) {
      const shade = pen.createRadialGradient(x - 0.35 * r, y - 0.4 * r, 0.05 * r, x, y, r);
      shade.addColorStop(0, css(mix(colour, WHITE, 0.65)));
      shade.addColorStop(0.35, css(mix(colour, WHITE, 0.12)));
      shade.addColorStop(0.8, css(mix(colour, BLACK, 0.12)));
      shade.addColorStop(1, css(mix(colour, BLACK, 0.36)));
      pen.beginPath();
      pen.arc(x, y, r, 0, 2 * Math.PI);
      pen.fillStyle = shade;
      pen.fill();
      const chosen = index === state.atom;
      pen.lineWidth = chosen ? 2.5 : 0.8;
      pen.strokeStyle = css(ink, chosen ? 1 : 0.45);
      pen.stroke();
      if (state.colour === "score" && scene.symbols[index] !== "H" && r > 7) {
        const [red, green, blue] = colour;
        pen.fillStyle = 0.3 * red + 0.59 * green + 0.11 * blue > 125 ? "#000" : "#fff";
        pen.font = `600 ${Math.min(15, 0.95 * r)}px system-ui, sans-serif`;
        pen.textAlign = "center";
        pen.textBaseline = "middle";
        pen.fillText(scene.symbols[index], x, y);
      }
    }

    function redraw() {
      if (!waiting) { waiting = true; requestAnimationFrame(draw); }
    }

    function turn(dx, dy) {
      state.rotation = times(times(aboutX(dy), aboutY(dx)), state.rotation);
      redraw();
    }

    function zoom(factor) {
      state.zoom = Math.min(8, Math.max(0.3, state.zoom * factor));
      redraw();
    }

    function reset() {
      Object.assign(state, { rotation: START, zoom: 1 });
      redraw();
    }

    function point(x, y) {
      const under = shown.filter((atom) => Math.hypot(atom.x - x, atom.y - y) <= atom.r);
      const atom = under.length ? under[under.length - 1].index : -1;
      if (atom === state.atom) return;
      state.atom = atom;
      const value = atom < 0 ? null : scene.values[atom] ?? null;
      output.textContent = atom < 0 ? "" : `${scene.symbols[atom]} ${atom}`
        + (value === null ? "" : ` · quantile ${value.toFixed(3)}`);
      redraw();
    }

    const fingers = new Map();
    canvas.addEventListener("pointerdown", (event) => {
      canvas.focus({ preventScroll: true });
      canvas.setPointerCapture(event.pointerId);
      fingers.set(event.pointerId, [event.clientX, event.clientY]);
    });
    canvas.addEventListener("pointermove", (event) => {
      const last = fingers.get(event.pointerId);
      if (!last) return point(event.offsetX, event.offsetY);
      const now = [event.clientX, event.clientY];
      const [other] = [...fingers].filter(([id]) => id !== event.pointerId).map(([, at]) => at);
      const apart = (at) => Math.hypot(at[0] - other[0], at[1] - other[1]);
      if (other) zoom(apart(now) / (apart(last) || 1));
      else turn((now[0] - last[0]) / 120, (now[1] - last[1]) / 120);
      fingers.set(event.pointerId, now);
    });
    for (const end of ["pointerup", "pointercancel"]) {
      canvas.addEventListener(end, (event) => fingers.delete(event.pointerId));
    }
    canvas.addEventListener("pointerleave", () => point(-1e9, -1e9));
    canvas.addEventListener("dblclick", reset);
    canvas.addEventListener("wheel", (event) => { // the page scrolls until the drawing is chosen
      if (document.activeElement !== canvas) return;
      event.preventDefault();
      zoom(Math.exp(-event.deltaY / 500));
    }, { passive: false });
    const keys = {
      ArrowLeft: () => turn(-0.15, 0), ArrowRight: () => turn(0.15, 0),
      ArrowUp: () => turn(0, -0.15), ArrowDown: () => turn(0, 0.15),
      "+": () => zoom(1.15), "=": () => zoom(1.15), "-": () => zoom(1 / 1.15), Home: reset,
    };
    canvas.addEventListener("keydown", (event) => {
      if (!keys[event.key]) return;
      event.preventDefault();
      keys[event.key]();
    });
    const buttons = [...figure.querySelectorAll("button[data-colour]")];
    for (const button of buttons) button.addEventListener("click", () => {
      state.colour = button.dataset.colour;
      for (const each of buttons) each.setAttribute("aria-pressed", String(each === button));
      redraw();
    });
    new ResizeObserver(redraw).observe(canvas);
    for (const query of ["(prefers-color-scheme: dark)", "print"]) {
      window.matchMedia(query).addEventListener("change", draw);
    }
    draw();
    canvas.dataset.ready = "true";
  }

  document.querySelectorAll("canvas[data-scene]").forEach(viewer);
})();
