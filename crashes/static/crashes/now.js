// Symbolicate now: how far the upload is, problems in place, and a file dropped anywhere on the form.
"use strict";

const form = document.getElementById("now");
const bar = document.getElementById("now-progress");
const says = document.getElementById("now-says");
const file = document.getElementById("now-file");
// Answers that are shown in place although they are no success.
const SHOWN = [400, 403, 413, 500, 503];

function tooLarge() {
  const chosen = file.files[0];
  return chosen !== undefined && chosen.size > Number(form.dataset.mostBytes);
}

function sayFile() {
  const chosen = file.files[0];
  if (!chosen) says.textContent = "";
  else says.textContent = tooLarge() ? `${chosen.name} is larger than the service takes.` : `${chosen.name} will be sent.`;
}

file.addEventListener("change", sayFile);

form.addEventListener("dragover", (event) => event.preventDefault());
form.addEventListener("drop", (event) => {
  if (!event.dataTransfer.files.length) return;
  event.preventDefault();
  file.files = event.dataTransfer.files;
  sayFile();
});

form.addEventListener("htmx:beforeRequest", (event) => {
  if (tooLarge()) {
    event.preventDefault();
    sayFile();
    return;
  }
  bar.removeAttribute("value");
  bar.classList.add("htmx-request");
  says.textContent = "Sending …";
});

form.addEventListener("htmx:xhr:progress", (event) => {
  const { lengthComputable, loaded, total } = event.detail;
  if (!lengthComputable) return;
  if (loaded < total) {
    bar.max = total;
    bar.value = loaded;
  } else {
    bar.removeAttribute("value");
    says.textContent = "Symbolicating …";
  }
});

form.addEventListener("htmx:beforeSwap", (event) => {
  if (SHOWN.includes(event.detail.xhr.status)) {
    event.detail.shouldSwap = true;
    event.detail.isError = false;
  }
});

form.addEventListener("htmx:afterRequest", () => {
  bar.classList.remove("htmx-request");
  says.textContent = "";
});

form.addEventListener("htmx:sendError", () => {
  says.textContent = "The connection ended before there was an answer. Send it again; a smaller file if that does not help.";
});

form.addEventListener("htmx:afterSettle", () => {
  const outcome = document.getElementById("outcome").firstElementChild;
  for (const label of document.querySelectorAll("label.search[hidden]")) label.hidden = false;
  if (outcome) outcome.scrollIntoView({ block: "nearest" });
});
