"use strict";
// Paired differences of two models, as benchmark.inference.paired_difference and fdr compute them.

const ROUNDING = 1e-12;
const SIGNIFICANT = 0.05;

function meanSquare(a, b) {
  const squares = a.flatMap((value, i) => (value === null || b[i] === null ? [] : [(value - b[i]) ** 2]));
  return squares.length ? squares.reduce((sum, x) => sum + x, 0) / squares.length : NaN;
}

// a, b: what profiles keep as "paired". Undefined where the two cannot be compared.
function pairedDifference(a, b) {
  if (!a || !b || a.n !== b.n || a.on !== b.on) return undefined;
  const difference = a.s - b.s;
  const whole = (meanSquare(a.concepts, b.concepts) * a.n) / (a.n - 1);
  const single = meanSquare(a.pairs, b.pairs);
  const error = Math.sqrt(Math.max(whole - single, single));
  if (!Number.isFinite(error)) return undefined;
  if (error <= ROUNDING) return { difference, low: difference, high: difference, p: Math.abs(difference) <= ROUNDING ? 1 : 0, n: a.n };
  const freedom = (a.n - 1) * Math.min(1, error ** 2 / whole) ** 2;
  const width = error * jStat.studentt.inv(0.975, freedom);
  return { difference, low: difference - width, high: difference + width, p: 2 * jStat.studentt.cdf(-Math.abs(difference) / error, freedom), n: a.n };
}

// Adds the corrected p to each row (Benjamini & Hochberg 1995).
function correct(rows) {
  const order = [...rows].sort((a, b) => b.p - a.p);
  let least = 1;
  order.forEach((row, i) => { row.corrected = least = Math.min(least, (row.p * rows.length) / (rows.length - i)); });
}

const inPaper = (p) => (p < 0.001 ? "< .001" : p.toFixed(3).replace(/^0/, ""));

// Every two of the models on every binding; as bench compare prints them.
function differencesOf(suite, models, profiles) {
  const kept = new Map(profiles.map((profile) => [JSON.stringify([profile.binding, profile.model]), profile.paired]));
  const rows = [];
  for (const binding of suite.bindings)
    models.forEach((first, i) => models.slice(i + 1).forEach((second) => {
      const found = pairedDifference(...[first, second].map((model) => kept.get(JSON.stringify([binding.name, model]))));
      if (found) rows.push({ binding, first, second, ...found });
    }));
  correct(rows);
  return rows;
}

// Two of the models with a score on a binding, over other concepts.
function overOtherConcepts(suite, models, profiles) {
  const kept = new Map(profiles.map((profile) => [JSON.stringify([profile.binding, profile.model]), profile.paired]));
  return suite.bindings.filter((binding) => {
    const paired = models.map((model) => kept.get(JSON.stringify([binding.name, model]))).filter(Boolean);
    return paired.some((one) => one.n !== paired[0].n || one.on !== paired[0].on);
  });
}

// A score over pairs of concepts is no sum of values of concepts: from a result that of a part of them cannot be had.
function otherConceptsNote(bindings, models) {
  const names = bindings.map((binding) => binding.name.replaceAll("_", " ")).join(", ");
  const run = `bench run --registry common.yaml --suite common --model ${models.join(",")} --task all`;
  return element("div", { class: "warning" }, element("p", {}, `${names}: some of these models were scored over other concepts, and have no paired ` +
    "difference. A result does not hold what the score of its common concepts takes: they must be scored again, by bindings with " +
    "concepts_common_to: [TARGET] in a suite of your own (docs/how-to/comparing-models.md, “Models over other concepts”):"),
    element("pre", { tabindex: "0", "aria-label": "command" }, run));
}

function differencesView(suite, models, profiles) {
  const rows = differencesOf(suite, models, profiles);
  const view = element("section", {}, element("h3", {}, "Paired differences"));
  const others = overOtherConcepts(suite, models, profiles);
  if (others.length) view.append(otherConceptsNote(others, models));
  if (!rows.length) {
    view.append(element("p", { class: "soft" }, "No two of these models can be compared: their results hold no changes of their scores, or are over other concepts."));
    return view;
  }
  view.append(element("p", { class: "soft" }, "The first less the second model, each with its best layer on all concepts. " +
    "Corrected: false discovery rate over all rows. Bold: corrected p below .05."));
  const heads = ["binding", "first", "second", "difference", "95 % interval", "p", "corrected", "n"];
  const table = element("table", {}, element("tr", {}, ...heads.map((head) => element("th", { scope: "col" }, head))));
  for (const row of rows) {
    const link = element("a", { href: address(suite.name, "task", row.binding.name) }, row.binding.name.replaceAll("_", " "));
    const difference = element(row.corrected < SIGNIFICANT ? "b" : "span", {}, signed(row.difference));
    table.append(element("tr", {}, element("th", { scope: "row" }, link), ...[row.first, row.second, difference,
      `${signed(row.low)} to ${signed(row.high)}`, inPaper(row.p), inPaper(row.corrected), `${row.n} ${row.binding.unit}`].map((cell) => element("td", {}, cell))));
  }
  view.append(element("div", { class: "wide", tabindex: "0", role: "region", "aria-label": "Paired differences" }, table));
  return view;
}

const signed = (value) => number(value).replace("-", "\u2212");
