// Symbol sources: rows that are dragged or moved by keys, and tests whose steps appear as they happen.
"use strict";

const NEXT = "\n<!-- next -->\n";

for (const element of document.querySelectorAll("[data-with-scripts]")) element.hidden = false;

// What a test says, part by part: each replaces the one before it.
async function showLive(form, button, place) {
  button.setAttribute("aria-busy", "true");
  button.disabled = true;
  try {
    const answer = await fetch(button.formAction || form.action, {
      method: "POST",
      body: new FormData(form),
      headers: { "X-Live": "1", "HX-Request": "true" },
    });
    if (answer.status === 204 && answer.headers.get("HX-Redirect")) return location.assign(answer.headers.get("HX-Redirect"));
    if (!answer.body) return;
    const reader = answer.body.pipeThrough(new TextDecoderStream()).getReader();
    let text = "";
    for (;;) {
      const { done, value } = await reader.read();
      text += value || "";
      const parts = text.split(NEXT);
      text = parts.pop();
      if (parts.length) place.innerHTML = parts[parts.length - 1];
      if (done) break;
    }
    if (text.trim()) place.innerHTML = text;
  } catch {
    place.textContent = "The service cannot be reached. Try again in a moment.";
  } finally {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
}

document.addEventListener("submit", (event) => {
  const button = event.submitter;
  if (!button || !button.dataset.live) return;
  event.preventDefault();
  event.stopPropagation();
  showLive(event.target, button, document.querySelector(button.dataset.live));
}, true);

// The order of the project's own sources.
function say(text) {
  const line = document.createElement("p");
  line.className = "message";
  line.textContent = text;
  document.getElementById("messages").replaceChildren(line);
}

async function sendOrder(table) {
  const rows = [...table.tBodies[0].rows];
  const body = new FormData();
  for (const row of rows) body.append("id", row.dataset.id);
  const token = table.querySelector("[name=csrfmiddlewaretoken]").value;
  const answer = await fetch(table.dataset.order, {
    method: "POST",
    body,
    headers: { "X-CSRFToken": token, "HX-Request": "true" },
  }).catch(() => null);
  if (!answer || answer.status !== 204) return location.reload();
  rows.forEach((row, at) => {
    row.querySelector("[value=up]").disabled = at === 0;
    row.querySelector("[value=down]").disabled = at === rows.length - 1;
  });
}

for (const table of document.querySelectorAll("table[data-order]")) {
  let dragged = null;
  for (const handle of table.querySelectorAll("button.handle")) {
    const row = handle.closest("tr");
    handle.addEventListener("keydown", async (event) => {
      const up = event.key === "ArrowUp";
      const other = up ? row.previousElementSibling : event.key === "ArrowDown" ? row.nextElementSibling : null;
      if (!other) return;
      event.preventDefault();
      if (up) other.before(row); else other.after(row);
      handle.focus();
      say(`Moved to place ${row.rowIndex} of ${table.tBodies[0].rows.length}.`);
      await sendOrder(table);
    });
    handle.addEventListener("pointerdown", (event) => {
      event.preventDefault();
      handle.focus();
      dragged = row;
      row.classList.add("dragged");
    });
  }
  // At the document: a row that is put elsewhere loses the pointer that it had caught.
  document.addEventListener("pointermove", (event) => {
    if (!dragged) return;
    const over = document.elementFromPoint(event.clientX, event.clientY)?.closest("tr[data-id]");
    if (!over || over === dragged || over.parentNode !== dragged.parentNode) return;
    if (over.rowIndex < dragged.rowIndex) over.before(dragged); else over.after(dragged);
  });
  const drop = async () => {
    if (!dragged) return;
    dragged.classList.remove("dragged");
    dragged = null;
    await sendOrder(table);
  };
  document.addEventListener("pointerup", drop);
  document.addEventListener("pointercancel", drop);
}
