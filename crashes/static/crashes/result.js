// Reading stacks: why a frame has no name, in place; a search among modules; keys.
"use strict";

function whyInPlace(link) {
  const module = document.getElementById(link.hash.slice(1));
  const text = module && module.querySelector(".why-text");
  const frame = link.closest(".frame");
  if (!text || !frame) return false;
  const shown = frame.querySelector(":scope > .why-text");
  if (shown) shown.remove();
  else frame.append(text.cloneNode(true));
  link.setAttribute("aria-expanded", String(!shown));
  return true;
}

document.addEventListener("click", (event) => {
  const link = event.target.closest("a.why");
  if (link && whyInPlace(link)) event.preventDefault();
});

function openTarget() {
  const target = location.hash.length > 1 && document.getElementById(location.hash.slice(1));
  if (!target) return;
  for (const details of target.querySelectorAll("details.diagnosis")) details.open = true;
}

function filterBy(input) {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  for (const item of document.querySelectorAll(`${input.dataset.filters} > [data-words]`)) {
    item.hidden = !words.every((word) => item.dataset.words.includes(word));
  }
}

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-filters]")) filterBy(event.target);
});

function frames() {
  return [...document.querySelectorAll("li.frame")].filter((frame) => frame.offsetParent !== null);
}

function step(by) {
  const all = frames();
  const at = all.indexOf(document.activeElement.closest("li.frame"));
  const next = all[Math.min(Math.max(at < 0 ? (by > 0 ? 0 : -1) : at + by, 0), all.length - 1)];
  if (next) next.focus();
}

const KEYS = {
  j: () => step(1),
  k: () => step(-1),
  o: () => {
    const source = document.activeElement.closest("li.frame")?.querySelector("details.source");
    if (source) source.open = !source.open;
  },
  w: () => document.activeElement.closest("li.frame")?.querySelector("a.why, details.own-why > summary")?.click(),
  t: () => {
    const threads = [...document.querySelectorAll("details.thread > summary")];
    const at = threads.indexOf(document.activeElement.closest("details.thread")?.querySelector("summary"));
    threads[(at + 1) % threads.length]?.focus();
  },
  "/": () => document.querySelector("[data-filters]")?.focus(),
};

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey || event.target.matches("input, textarea, select")) return;
  const act = KEYS[event.key];
  if (!act) return;
  event.preventDefault();
  act();
});

document.addEventListener("DOMContentLoaded", () => {
  for (const label of document.querySelectorAll("label.search[hidden]")) label.hidden = false;
  openTarget();
});
window.addEventListener("hashchange", openTarget);
