// What pages do beyond links and forms. Everything here is an addition: pages work without it.
"use strict";

function showCopyButtons(root) {
  if (!navigator.clipboard) return;
  for (const button of root.querySelectorAll("button.copy[hidden]")) button.hidden = false;
}

function say(text) {
  const place = document.getElementById("messages");
  if (!place) return;
  const line = document.createElement("p");
  line.className = "message";
  line.textContent = text;
  place.replaceChildren(line);
}

// What can be scrolled sideways can be reached and scrolled by keys, and nothing else is a stop for them.
const scrolled = new ResizeObserver((entries) => {
  for (const { target } of entries) {
    if (target.scrollWidth > target.clientWidth) target.tabIndex = 0;
    else if (!target.hasAttribute("role")) target.removeAttribute("tabindex");
  }
});
function watchScrolling(root) {
  for (const place of root.querySelectorAll(".scroll, pre")) scrolled.observe(place);
}

document.addEventListener("click", async (event) => {
  const button = event.target.closest("button[data-copy]");
  if (!button) return;
  await navigator.clipboard.writeText(button.dataset.copy);
  say("Copied.");
});

// A link to a text becomes a button that copies it.
document.addEventListener("click", async (event) => {
  const link = event.target.closest("a[data-copy-from]");
  if (!link || !navigator.clipboard) return;
  event.preventDefault();
  const answer = await fetch(link.href);
  if (!answer.ok) return say("There is nothing to copy yet.");
  await navigator.clipboard.writeText(await answer.text());
  say("Copied.");
});

// A problem that the server answers takes the place of what was asked for.
document.addEventListener("htmx:beforeSwap", (event) => {
  const status = event.detail.xhr.status;
  if (status >= 400 && status < 600 && event.detail.serverResponse) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});
document.addEventListener("htmx:sendError", () => say("The service cannot be reached. Try again in a moment."));
function enliven(root) {
  showCopyButtons(root);
  watchScrolling(root);
}
document.addEventListener("htmx:load", (event) => enliven(event.detail.elt));
document.addEventListener("DOMContentLoaded", () => enliven(document));
