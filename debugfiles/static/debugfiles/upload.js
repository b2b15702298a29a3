// Uploads each chosen or dropped file by itself, one after the other, with a progress bar. Without this the form does.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
  const form = document.getElementById("upload");
  const input = document.getElementById("upload-file");
  const drop = document.getElementById("drop");
  const list = document.getElementById("upload-list");
  const waiting = [];
  let busy = false;

  for (const hint of document.querySelectorAll(".drop-hint")) hint.hidden = false;

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text) made.textContent = text;
    return made;
  }

  function size(bytes) {
    const units = ["bytes", "KB", "MB", "GB", "TB"];
    let unit = 0;
    while (bytes >= 1000 && unit < units.length - 1) { bytes /= 1000; unit += 1; }
    return unit ? `${bytes.toFixed(1)} ${units[unit]}` : `${bytes} bytes`;
  }

  function addressOf(file) {
    const address = new URL(form.action);
    address.searchParams.set("name", file.name);
    const id = document.getElementById("upload-id").value.trim();
    if (id) address.searchParams.set("debug_id", id);
    return address;
  }

  function take(files) {
    for (const file of files) {
      const item = element("div", "card upload-item");
      const line = element("p", "row spread");
      line.append(element("strong", "name", file.name));
      const state = element("span", "quiet", `waiting, ${size(file.size)}`);
      line.append(state);
      const bar = element("progress");
      bar.max = 100;
      bar.value = 0;
      bar.setAttribute("aria-label", `Upload of ${file.name}`);
      const stop = element("button", "link", "Cancel");
      stop.type = "button";
      stop.setAttribute("aria-label", `Cancel the upload of ${file.name}`);
      item.append(line, bar, stop);
      list.prepend(item);
      const job = { file, item, state, bar, stop, request: null, cancelled: false };
      stop.addEventListener("click", () => cancel(job));
      waiting.push(job);
    }
    next();
  }

  function cancel(job) {
    job.cancelled = true;
    if (job.request) job.request.abort();
    else { job.state.textContent = "cancelled"; job.bar.remove(); job.stop.remove(); }
  }

  function next() {
    if (busy) return;
    const job = waiting.shift();
    if (!job) return;
    if (job.cancelled) return next();
    busy = true;
    send(job);
  }

  function done(job, text) {
    busy = false;
    job.bar.remove();
    job.stop.remove();
    if (text) {
      job.state.textContent = "not uploaded";
      job.item.append(element("p", "message error", text));
    }
    next();
  }

  function send(job) {
    const request = new XMLHttpRequest();
    job.request = request;
    request.open("POST", addressOf(job.file));
    request.setRequestHeader("Content-Type", "application/octet-stream");
    request.setRequestHeader("HX-Request", "true");
    request.upload.addEventListener("progress", (event) => {
      if (!event.lengthComputable) return;
      const part = event.total ? Math.floor((100 * event.loaded) / event.total) : 100;
      job.bar.value = part;
      job.state.textContent = `${part} % of ${size(event.total)}`;
    });
    request.upload.addEventListener("load", () => {
      job.bar.removeAttribute("value");
      job.state.textContent = "being looked into";
    });
    request.addEventListener("load", () => answered(job, request));
    request.addEventListener("error", () => done(job, "The connection was lost. Try again in a moment."));
    request.addEventListener("abort", () => done(job, "Cancelled."));
    request.send(job.file);
  }

  function answered(job, request) {
    const elsewhere = request.getResponseHeader("HX-Redirect");
    if (elsewhere) { window.location.assign(elsewhere); return; }
    const type = request.getResponseHeader("Content-Type") || "";
    if (!type.startsWith("text/html")) { done(job, "The service could not take the file. Try again in a moment."); return; }
    // Made by a template of the service, which escapes everything that came with the file.
    const answer = document.createElement("template");
    answer.innerHTML = request.responseText;
    job.item.replaceWith(answer.content);
    if (typeof showCopyButtons === "function") showCopyButtons(list);
    busy = false;
    next();
  }

  form.addEventListener("submit", (event) => {
    if (!input.files.length) return;
    event.preventDefault();
    take(input.files);
    input.value = "";
  });
  input.addEventListener("change", () => {
    // Chosen files go at once; who gives an id of their own presses the button.
    if (!document.querySelector("#upload details[open]") && input.files.length) form.requestSubmit();
  });
  for (const name of ["dragenter", "dragover"]) {
    drop.addEventListener(name, (event) => { event.preventDefault(); drop.classList.add("over"); });
  }
  drop.addEventListener("dragleave", (event) => {
    if (!drop.contains(event.relatedTarget)) drop.classList.remove("over");
  });
  drop.addEventListener("drop", (event) => {
    event.preventDefault();
    drop.classList.remove("over");
    take(event.dataTransfer.files);
  });
  // A file that misses the place would otherwise replace the page.
  for (const name of ["dragover", "drop"]) window.addEventListener(name, (event) => event.preventDefault());
});
