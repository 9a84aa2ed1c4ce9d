// Small comforts. Every page works without them.
"use strict";
(() => {
  const root = document.documentElement;
  root.classList.add("js");

  // Copy buttons: data-copy has the id of what is copied.
  document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-copy]");
    if (!button) return;
    const source = document.getElementById(button.dataset.copy);
    const label = button.querySelector("span");
    try {
      await navigator.clipboard.writeText(source.value ?? source.textContent);
      label.textContent = "Copied";
    } catch {
      getSelection().selectAllChildren(source);
      label.textContent = "Press Ctrl-C";
    }
    setTimeout(() => { label.textContent = "Copy"; }, 2000);
  });

  // An open menu closes on Escape and on a click elsewhere.
  const close = (except) => {
    for (const open of document.querySelectorAll(".drop[open]")) if (open !== except) open.open = false;
  };
  document.addEventListener("click", (event) => close(event.target.closest(".drop")));
  document.addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return;
    const open = document.querySelector(".drop[open]");
    close();
    open?.querySelector("summary").focus();
  });

  // A form is sent once.
  document.addEventListener("submit", (event) => {
    if (event.target.dataset.sent) event.preventDefault();
    else if (event.target.method === "post") event.target.dataset.sent = "yes";
  });
  addEventListener("pageshow", () => {
    for (const form of document.querySelectorAll("form[data-sent]")) delete form.dataset.sent;
  });

  // A passkey that did not answer.
  document.addEventListener("allauth.error", (event) => {
    const problem = document.querySelector("[data-passkey-problem]");
    if (!problem) return;
    event.preventDefault();
    problem.hidden = false;
  });

  // Sign-up: the time zone of this device, and an account after the company's name.
  const zone = document.querySelector("select[data-time-zone]");
  if (zone && zone.value === "UTC") {
    const here = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if ([...zone.options].some((option) => option.value === here)) zone.value = here;
  }
  const account = document.querySelector("input[data-account]");
  const company = document.querySelector("input[name=company_name]");
  if (account && company) {
    const suggest = () => {
      const letters = company.value.replace(/[^A-Za-z0-9]+/g, "").replace(/^[0-9]+/, "");
      account.placeholder = letters ? `${letters}.Admin` : "";
    };
    company.addEventListener("input", suggest);
    suggest();
  }
})();
