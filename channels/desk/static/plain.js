"use strict";

if (new URLSearchParams(location.search).has("out")) {
  for (const key of Object.keys(sessionStorage)) if (key.startsWith("draft:")) sessionStorage.removeItem(key);
}

document.addEventListener("change", (event) => {
  const box = event.target.closest("[data-show-passwords]");
  if (!box) return;
  for (const field of box.form.querySelectorAll("[autocomplete$=password]")) field.type = box.checked ? "text" : "password";
});

document.addEventListener("click", async (event) => {
  const button = event.target.closest("[data-copy]");
  if (!button) return;
  const field = document.getElementById(button.dataset.copy);
  field.select();
  // Without HTTPS there is no clipboard: the address stays selected, to be copied by hand.
  await navigator.clipboard?.writeText(field.value);
  if (navigator.clipboard) button.textContent = button.dataset.done;
});
