// Buttons that fetch a text of the server, show it and copy it.

const shown = document.querySelector("#code");
const status = document.querySelector("#copied");

async function copy(button) {
  const response = await fetch(button.dataset.copy);
  if (!response.ok) {
    status.textContent = (await response.json()).message;
    return;
  }
  const text = await response.text();
  shown.textContent = text;
  shown.hidden = false;
  try {
    await navigator.clipboard.writeText(text);
    status.textContent = "Copied.";
  } catch {
    getSelection().selectAllChildren(shown);
    status.textContent = "Selected: this browser lets no page copy here.";
  }
}

for (const button of document.querySelectorAll("[data-copy]")) {
  button.addEventListener("click", () => copy(button));
}
