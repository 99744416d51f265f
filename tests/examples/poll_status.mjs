// Polls /status every 30 seconds until the dataset is final, and exports it once.
const { LABS_URL, LABS_API_KEY, DATASET } = process.env;
const url = `${LABS_URL}/api/v1/training-datasets/${DATASET}`;
const headers = { Authorization: `Bearer ${LABS_API_KEY}` };

let status;
do {
  if (status) await new Promise((resolve) => setTimeout(resolve, 30_000));
  const response = await fetch(`${url}/status`, { headers });
  if (!response.ok) throw new Error(`${response.status} ${await response.text()}`);
  ({ status } = await response.json());
  console.log(status);
} while (!["ready", "cancelled", "failed"].includes(status));

const response = await fetch(`${url}/export`, { headers });
if (response.status !== 200) throw new Error(`${response.status} ${await response.text()}`);
const rows = (await response.text()).trimEnd().split("\n").map((line) => JSON.parse(line));
console.log(rows.length, response.headers.get("X-Row-Count"));
