"use strict";
// The association panel: the words that concepts bring to mind, to a model and to people.

const WORDS = 20, AT_ONCE = 8, TEN_THOUSAND = 1e4;
const SYMBOLS = ["circle", "square", "diamond", "triangle", "cross", "star", "wye", "times"];

// Rows of all results of a model with profiles, one a concept: {concept, heldOut, model, people}, the last two Map word -> strength.
function wordRows(results) {
  const rows = new Map();
  for (const { words } of results) {
    const strengths = Object.fromEntries(["model", "people"].map((of) => [of, new Uint16Array(bytesOf(words[of]).buffer)]));
    words.concepts.forEach((concept, i) => {
      if (rows.has(concept)) return;
      const profile = (of) => new Map(words.vocabulary.map((word, j) => [word, strengths[of][i * words.vocabulary.length + j] / TEN_THOUSAND]));
      rows.set(concept, { concept, heldOut: words.held_out[i], model: profile("model"), people: profile("people") });
    });
  }
  return [...rows.values()].sort((a, b) => a.heldOut - b.heldOut || d3.ascending(a.concept, b.concept));
}

function shareOf(profile) {
  const total = d3.sum(profile.values()) || 1;
  return new Map([...profile].map(([word, strength]) => [word, strength / total]));
}

// As the profile of bench associate: half of the words are the strongest of each, the rest those that differ most.
function wordsFor(profiles) {
  const ordered = (value) => [...new Set(profiles.flatMap((profile) => [...profile.keys()]))].sort((a, b) => value(b) - value(a));
  const own = profiles.length > 1 ? Math.max(1, Math.floor(WORDS / (2 * profiles.length))) : WORDS;
  const chosen = new Set(profiles.flatMap((profile) => [...profile].filter(([, strength]) => strength > 0).sort((a, b) => b[1] - a[1]).slice(0, own).map(([word]) => word)));
  if (profiles.length > 1)
    for (const word of ordered((w) => d3.variance(profiles, (profile) => profile.get(w) ?? 0))) if (chosen.size < WORDS) chosen.add(word);
  const owner = (word) => d3.maxIndex(profiles, (profile) => profile.get(word) ?? 0);
  return [...chosen].sort((a, b) => owner(a) - owner(b) || (profiles[owner(b)].get(b) ?? 0) - (profiles[owner(a)].get(a) ?? 0));
}

// The same words whatever is shown: the strongest of the model over all concepts.
function fixedWords(rows) {
  const sums = d3.rollup(rows.flatMap((row) => [...row.model]), (entries) => d3.sum(entries, ([, strength]) => strength), ([word]) => word);
  return [...sums].sort((a, b) => b[1] - a[1]).slice(0, WORDS).map(([word]) => word);
}

function wordsChart(shown, words, { fixed, people }) {
  const height = (profile) => (fixed ? profile : shareOf(profile));
  const points = shown.flatMap((row) => ["model", "people"].filter((of) => of === "model" || people).flatMap((of) => {
    const heights = height(row[of]);
    return words.map((word) => ({ concept: row.concept, of, word, value: heights.get(word) ?? 0, line: `${row.concept}, ${of}` }));
  }));
  const names = shown.map((row) => row.concept);
  const alone = shown.length === 1;
  const of = (who) => points.filter((point) => point.of === who);
  const place = { x: "value", y: "word" };
  return asPicture(Plot.plot({
    width: roomFor(640), height: 54 + 22 * words.length, marginLeft: 110, marginTop: 44,
    ariaLabel: `strength of ${words.length} words for ${names.join(", ")}`,
    style: { background: "transparent", color: "inherit", fontSize: "12px" },
    x: { axis: "top", grid: true, label: fixed ? "strength, as it is" : "share of the profile" },
    y: { domain: words, label: null, type: alone ? "band" : "point" },
    color: { domain: names, range: names.map((_, i) => COLOURS[i % COLOURS.length]) },
    symbol: { domain: names, range: names.map((_, i) => SYMBOLS[i % SYMBOLS.length]) },
    marks: [
      alone ? Plot.barX(of("model"), { ...place, fill: "concept", fillOpacity: 0.55, insetTop: 3, insetBottom: 3 }) : Plot.line(of("model"), { ...place, z: "line", stroke: "concept", strokeWidth: 1.5 }),
      alone ? [] : Plot.dot(of("model"), { ...place, fill: "concept", symbol: "concept", r: 4 }),
      alone ? Plot.tickX(of("people"), { ...place, stroke: "currentColor", strokeWidth: 3 }) : Plot.line(of("people"), { ...place, z: "line", stroke: "concept", strokeDasharray: "2 4", strokeWidth: 1.5 }),
      Plot.tip(points, Plot.pointer({ ...place, fill: "var(--paper)", title: (d) => `${d.line}\n${d.word}: ${number(d.value)}` })),
    ],
  }));
}

function wordsPart(suite, results, query) {
  const rows = wordRows(results);
  const known = new Map(rows.map((row) => [row.concept, row]));
  const asked = (query.get("words") ?? "").split(",").filter((concept) => known.has(concept)).slice(0, AT_ONCE);
  const chosen = new Set(asked.length ? asked : [rows[0].concept]);
  const form = { fixed: query.has("fixed"), people: !query.has("alone") };
  const place = element("figure"), note = element("p", { class: "soft", "aria-live": "polite" });
  const boxes = rows.map((row) => {
    const box = element("input", { type: "checkbox" });
    box.addEventListener("change", () => {
      if (box.checked && chosen.size < AT_ONCE) chosen.add(row.concept);
      else chosen.delete(row.concept);
      draw();
    });
    return { box, concept: row.concept, label: element("label", {}, box, " ", pictured(suite, row.concept, row.heldOut ? element("small", { class: "few" }, " held out") : "")) };
  });
  const draw = () => {
    for (const { box, concept } of boxes) box.checked = chosen.has(concept);
    const shown = [...chosen].map((concept) => known.get(concept));
    const words = form.fixed ? fixedWords(rows) : shown.length ? wordsFor(shown.map((row) => shareOf(row.model))) : [];
    place.replaceChildren(shown.length ? wordsChart(shown, words, form) : element("p", { class: "soft" }, "Tick a concept."), keyOf(shown, form));
    note.textContent = `${chosen.size} of at most ${AT_ONCE} shown.`;
    const kept = new URLSearchParams({ words: [...chosen].join(","), ...(form.fixed ? { fixed: "" } : {}), ...(form.people ? {} : { alone: "" }) });
    if (asked.length || touched) history.replaceState(null, "", `${location.hash.split("?")[0]}?${kept}`);
    touched = true;
  };
  let touched = false;
  const option = (name, text) => {
    const box = element("input", { type: "checkbox" });
    box.checked = form[name];
    box.addEventListener("change", () => { form[name] = box.checked; draw(); });
    return element("label", {}, box, ` ${text}`);
  };
  const list = element("div", { class: "choice", role: "group", "aria-label": "concepts", tabindex: "0" }, ...boxes.map(({ label }) => label));
  const part = element("section", { class: "words" }, element("h3", {}, "Words that the images bring to mind"),
    element("p", {}, "One concept, or several over one another. Without the fixed vocabulary the words are chosen for what is shown, and heights are shares of " +
      "a profile; with it they are the same 20 whatever is shown, and heights are the outputs themselves. Held out: the model was not trained on this cue."),
    element("div", { class: "tools" }, option("people", "people beside"), option("fixed", "fixed vocabulary of 20 words")),
    element("div", { class: "panel" }, element("div", {}, list, note), place));
  draw();
  return part;
}

function keyOf(shown, { people }) {
  const alone = shown.length === 1;
  const key = element("figcaption", { class: "concepts" });
  if (!alone) shown.forEach((row, i) => {
    const dot = element("span", { class: "dot" });
    dot.style.background = COLOURS[i % COLOURS.length];
    key.append(element("span", { class: "pictured" }, dot, row.concept));
  });
  if (people && shown.length) key.append(alone ? "bars: the model; upright lines: people" : "solid: the model; dotted: people");
  return key;
}
