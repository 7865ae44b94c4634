"use strict";
// Draws the charts, and copies an architecture where one clicks on it.
const LOOK = {
  font: { family: 'system-ui, "Segoe UI", "DejaVu Sans", sans-serif', size: 13, color: "#1b1f24" },
  margin: { l: 66, r: 16, t: 40, b: 56 }, paper_bgcolor: "#fff", plot_bgcolor: "#fff", hovermode: "closest",
  hoverlabel: { align: "left", bgcolor: "#fff", bordercolor: "#57606a", font: { color: "#1b1f24" } },
  legend: { orientation: "h", y: 1.01, yanchor: "bottom", x: 0 },
};
const AXIS = { gridcolor: "#e4e4e4", zeroline: false, linecolor: "#8c8c8c", ticks: "outside", automargin: true };
const ON_PAPER = 660;  // width of a chart in print, in pixels

const said = document.getElementById("said");
let quiet;
function say(text) {
  said.textContent = text;
  said.classList.add("shown");
  clearTimeout(quiet);
  quiet = setTimeout(() => said.classList.remove("shown"), 4000);
}

// The old way first: it needs no permission, and works for a file that was opened from a disk.
function copy(text) {
  const field = document.createElement("textarea");
  field.value = text;
  field.style.position = "fixed";
  field.style.opacity = "0";
  document.body.append(field);
  field.select();
  const done = document.execCommand("copy");
  field.remove();
  if (done) { say("copied: " + text); return; }
  const failed = () => say("can not copy here; select it instead: " + text);
  if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => say("copied: " + text), failed);
  else failed();
}

function draw(script) {
  const chart = JSON.parse(script.textContent);
  const place = document.getElementById(script.dataset.for);
  const layout = { ...LOOK, ...chart.layout };
  for (const key of Object.keys(layout)) if (/^[xy]axis\d*$/.test(key)) layout[key] = { ...AXIS, ...layout[key] };
  layout.margin = { ...LOOK.margin, ...chart.layout.margin };
  const bar = { responsive: true, displayModeBar: false, doubleClick: "reset+autosize" };
  Plotly.newPlot(place, chart.traces, layout, bar).then(() => { place.dataset.drawn = "yes"; });
  place.on("plotly_click", (event) => {
    const architecture = event.points.map((point) => point.customdata).find((data) => typeof data === "string");
    if (architecture) copy(architecture);
  });
  const choose = document.querySelector(`select[data-chart="${place.id}"]`);
  if (choose) choose.addEventListener("change", () => {
    const shown = new Set(chart.views[choose.value]);
    Plotly.restyle(place, { visible: chart.traces.map((_, i) => shown.has(i)) });
  });
}

const charts = [...document.querySelectorAll("script[data-for]")];
charts.forEach(draw);
document.querySelectorAll("button[data-copy]").forEach((button) =>
  button.addEventListener("click", () => copy(button.dataset.copy)));

const everywhere = (change) => charts.forEach((script) => Plotly.relayout(script.dataset.for, change));
window.addEventListener("beforeprint", () => everywhere({ width: ON_PAPER }));
window.addEventListener("afterprint", () => everywhere({ width: null, autosize: true }));
