// Asks before something is deleted, and puts the cursor where a form has a problem.
"use strict";

document.addEventListener("submit", (event) => {
  const sure = event.submitter && event.submitter.dataset.sure;
  if (sure && !window.confirm(sure)) event.preventDefault();
});
document.addEventListener("DOMContentLoaded", () => {
  const wrong = document.querySelector("[aria-invalid='true']");
  if (wrong) wrong.focus();
});
