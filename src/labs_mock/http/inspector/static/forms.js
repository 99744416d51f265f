// Forms that change something: what is in them is sent as JSON, and what is wrong with it is shown at the fields.
//
// <form data-method="POST" data-path="/_mock/clock/advance">: a field with data-type="number" is sent as one. An element
// with the id wrong-NAME gets the message of a field, and one with role="alert" whatever concerns none.
//
// What is sent with success loads the page again, or the one of data-next; on the same page the button has the focus again.

const SENT = "labs-mock-sent"; // in the storage of this window

function valuesOf(form) {
  const values = {};
  for (const field of form.elements) {
    if (!field.name || (field.value === "" && field.dataset.type !== "text")) continue;
    const number = field.dataset.type === "number" && field.value.trim() !== "" ? Number(field.value) : NaN;
    values[field.name] = Number.isNaN(number) ? field.value : number;
  }
  return values;
}

function show(form, mistakes, message) {
  let first = null;
  for (const field of form.elements) {
    const place = field.name && document.getElementById(`wrong-${field.name}`);
    if (!place) continue;
    place.textContent = mistakes[field.name] ?? "";
    field.toggleAttribute("aria-invalid", field.name in mistakes);
    if (field.name in mistakes) {
      field.setAttribute("aria-invalid", "true");
      first ??= field;
    }
  }
  const others = Object.entries(mistakes).filter(([name]) => !document.getElementById(`wrong-${name}`));
  form.querySelector("[role=alert]").textContent =
    message || others.map(([name, what]) => `${name}: ${what}`).join("; ");
  first?.focus();
}

export async function send(form) {
  const [method, path] = ["data-method", "data-path"].map((name) => form.getAttribute(name));
  try {
    const response = await fetch(path, {
      method,
      headers: { "content-type": "application/json" },
      body: JSON.stringify(valuesOf(form)),
    });
    const answer = await response.json();
    if (response.ok) return answer;
    show(form, answer.mistakes ?? {}, answer.message ?? "");
  } catch {
    show(form, {}, "The server did not answer.");
  }
  return null;
}

document.addEventListener("submit", async (event) => {
  const form = event.target;
  if (!form.hasAttribute("data-path")) return; // not form.dataset: a field with that name would hide it
  event.preventDefault();
  const answer = await send(form);
  if (!answer) return;
  const next = form.getAttribute("data-next");
  if (next) {
    location.assign(next);
    return;
  }
  sessionStorage.setItem(SENT, form.getAttribute("data-path"));
  location.reload();
});

const sent = sessionStorage.getItem(SENT);
if (sent) {
  sessionStorage.removeItem(SENT);
  document.querySelector(`form[data-path="${CSS.escape(sent)}"] button`)?.focus({ preventScroll: true });
}
