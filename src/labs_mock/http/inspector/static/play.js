// Playing a scenario: the conversation is kept here, and sent whole with each turn.

const form = document.querySelector("#turn");
const conversation = document.querySelector("#conversation");
const said = document.querySelector("#said");
const tool = document.querySelector("#tool");
const input = document.querySelector("#input");
const status = document.querySelector("#status");
const wrong = form.querySelector("[role=alert]");
const beginning = conversation.innerHTML;

let messages = []; // behind the opening, which the server knows
let ended = null;

async function show(next) {
  const response = await fetch(location.pathname, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messages: next }),
  });
  const answer = await response.json();
  wrong.textContent = response.ok ? "" : answer.message;
  if (!response.ok) return false;
  conversation.innerHTML = answer.html; // the server's own, in which whatever was written is text
  messages = next.at(-1).role === "user" ? next : [...next, { role: "user", content: answer.observation }];
  ended = answer.ended;
  status.textContent = `Turn ${answer.turn}: reward ${answer.reward}.${ended ? ` It has ended: ${ended}.` : ""}`;
  return true;
}

function calls() {
  const chosen = tool?.selectedOptions[0];
  if (!chosen?.value) return {};
  return { tool_calls: [{ type: chosen.dataset.kind, name: chosen.value, input: JSON.parse(input.value || "{}") }] };
}

async function take(content) {
  if (ended) {
    wrong.textContent = "The conversation has ended: take a turn back, or load the page again.";
    return;
  }
  const note = document.querySelector("#wrong-input");
  let message;
  try {
    message = { role: "assistant", content, ...calls() };
    if (note) note.textContent = "";
  } catch {
    note.textContent = "expected JSON, such as the example";
    input.focus();
    return;
  }
  if (await show([...messages, message])) {
    said.value = "";
    if (tool) tool.value = input.value = "";
  }
  said.focus();
}

async function undo() {
  const last = messages.findLastIndex((message) => message.role === "assistant");
  if (last < 0) return;
  const left = messages.slice(0, last);
  if (left.length) {
    await show(left);
    return;
  }
  [messages, ended, conversation.innerHTML] = [[], null, beginning];
  status.textContent = wrong.textContent = "";
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  take(said.value);
});
document.querySelector("#silent").addEventListener("click", () => take(form.getAttribute("data-silence")));
document.querySelector("#undo").addEventListener("click", undo);
tool?.addEventListener("change", () => {
  input.value = tool.selectedOptions[0].dataset.example ?? "";
});
