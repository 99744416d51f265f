import { defineConfig } from "vitest/config";

export default defineConfig({
  test: {
    globalSetup: "./start-labs-mock.js",
    setupFiles: "./every-test.js",
    fileParallelism: false, // all tests share a server that each of them resets
    testTimeout: 30_000, // milliseconds; a busy machine takes its time
    hookTimeout: 30_000,
    teardownTimeout: 30_000,
  },
});
