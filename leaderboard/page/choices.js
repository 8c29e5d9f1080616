"use strict";
// What a visitor chooses beside search and tasks: kinds of models, and a mean of columns with weights.

const SIZES = [["up to 10 million", 1e7], ["10 to 100 million", 1e8], ["over 100 million", Infinity]];
// By name in the address: the label, and the values that a model has.
const TRAITS = {
  family: ["family", (about) => [about.family].filter(Boolean)],
  data: ["trained on", (about) => about.trained_on ?? []],
  size: ["parameters", (about) => (about.parameters ? [SIZES.find(([, most]) => about.parameters <= most)[0]] : [])],
};
const MEAN = " mean"; // no binding has a name with a space

const fitsTraits = (about) => [...state.traits].every(([kind, value]) => TRAITS[kind][1](about).includes(value));

function traitTools(suite) {
  const tools = [];
  for (const [kind, [label, of]] of Object.entries(TRAITS)) {
    const values = [...new Set(suite.models.flatMap((model) => of(model.about)))];
    if (kind !== "size") values.sort();
    else values.sort((a, b) => SIZES.findIndex(([name]) => name === a) - SIZES.findIndex(([name]) => name === b));
    if (values.length < 2 && !state.traits.has(kind)) continue;
    const select = element("select", { "aria-label": label }, element("option", { value: "" }, "any"), ...values.map((value) => element("option", { value }, value)));
    select.value = state.traits.get(kind) ?? "";
    select.addEventListener("change", () => {
      if (select.value) state.traits.set(kind, select.value);
      else state.traits.delete(kind);
      filter();
      remember();
    });
    tools.push(element("label", {}, `${label} `, select));
  }
  return tools;
}

const weightsInWords = () => [...state.weights].map(([name, weight]) => `${name.replaceAll("_", " ")} × ${weight}`).join(", ");

// Undefined for a model that has no score in one of the columns.
function meanOf(row) {
  const scores = [...state.weights].map(([name, weight]) => [row[name]?.s, weight]);
  if (scores.some(([score]) => score === undefined)) return undefined;
  return scores.reduce((sum, [score, weight]) => sum + score * weight, 0) / scores.reduce((sum, [, weight]) => sum + weight, 0);
}

// What a reader must know of the cells that a mean is made of.
function marksOfMean(row, suite) {
  const chosen = suite.bindings.filter((b) => state.weights.has(b.name) && row[b.name]);
  return (chosen.some((b) => row[b.name].t) ? "†" : "") + (chosen.some((b) => row[b.name].n < b.n) ? " fewer concepts" : "");
}

function meanColumn(suite) {
  return {
    title: "mean",
    field: MEAN,
    width: 200,
    headerSortStartingDir: "desc",
    sorter: (a, b, _rowA, _rowB, _column, direction) => {
      const missing = direction === "asc" ? Infinity : -Infinity;
      return (a ?? missing) - (b ?? missing) || 0;
    },
    titleFormatter: () => element("div", {}, element("button", { class: "sort", type: "button" }, "your mean"), element("br"),
      element("small", {}, `of ${weightsInWords()}`)),
    formatter: (shown) => element("span", {}, number(shown.getValue()),
      element("small", { class: "few" }, shown.getValue() === undefined ? "" : marksOfMean(shown.getRow().getData(), suite))),
  };
}

function weightTools(suite) {
  const part = element("details", {}, element("summary", {}, "A mean of columns that you choose"));
  part.open = state.weights.size > 0;
  part.append(element("p", {}, "The mean of the scores as they are, each times its weight. It says only what you put " +
    "into it: scores of different metrics have different scales. It has no interval and no rank."));
  const list = element("div", { class: "tools" });
  for (const binding of suite.bindings.filter((b) => b.higher)) {
    const box = element("input", { type: "number", min: "0", step: "any", "aria-label": `weight of ${binding.name}` });
    box.value = state.weights.get(binding.name) ?? "";
    box.addEventListener("change", () => {
      if (Number(box.value) > 0) state.weights.set(binding.name, Number(box.value));
      else state.weights.delete(binding.name);
      remember();
      suiteView(suite);
      document.querySelector(`[aria-label="${CSS.escape(`weight of ${binding.name}`)}"]`)?.focus();
    });
    list.append(element("label", {}, box, ` ${binding.name.replaceAll("_", " ")}`));
  }
  part.append(list);
  return part;
}
