import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Tests of the client against a labs-mock that serves the folder of scenarios named on the command line. */
class LabsTest {
    interface Test {
        void run() throws Exception;
    }

    static final Map<String, Object> SUITCASE = Map.of("collection_slug", "hotel", "scenario_slug", "lost-suitcase");
    static final Map<String, Object> SEARCH =
            Map.of("type", "decision", "name", "action", "input", Map.of("value", "search_now"));
    static final List<Map<String, Object>> LINES = List.of(
            Map.of("content", "I am sorry to hear that. What does it look like?"),
            Map.of("content", "Thank you. What is in it?"),
            Map.of("content", "We search for it at once.", "tool_calls", List.of(SEARCH)));
    static final List<Map<String, Object>> MESSAGES = List.of(
            Map.of("role", "user", "content", "My suitcase has not come up."),
            Map.of("role", "assistant", "content", "I am sorry. What does it look like?"));

    final LabsMock mock;
    final Labs labs;
    final Map<String, Test> tests = new LinkedHashMap<>();

    LabsTest(LabsMock mock) {
        this.mock = mock;
        labs = new Labs(mock.url, mock.key, mock);
        tests.put("an episode is played to its end", this::played);
        tests.put("an episode that goes on has no terminal_reason", this::goesOn);
        tests.put("a 429 is waited for, and sent again", this::retried);
        tests.put("a quota of two a minute takes two minutes for five requests", this::quota);
        tests.put("a turn whose answer is lost is not sent again", this::lost);
        tests.put("what is refused is thrown, and not sent again", this::refused);
    }

    void played() throws Exception {
        var answer = labs.play(SUITCASE, LINES);
        equal(answer.get("episode_complete"), true);
        equal(answer.get("terminal_reason"), "completed");
        equal(Json.number(answer.get("reward")), 1.0);
    }

    void goesOn() throws Exception {
        var answer = labs.play(SUITCASE, LINES.subList(0, 2));
        equal(answer.get("episode_complete"), false);
        equal(answer.containsKey("terminal_reason"), false);
    }

    void retried() throws Exception {
        mock.call("POST", "/faults", Map.of("path", "/api/v1/evaluate", "first", 1, "status", 429));
        equal(labs.evaluate(SUITCASE, MESSAGES) > 0, true);
        var twice = Map.<String, Object>of("method", "POST", "path", "/api/v1/evaluate", "times", 2);
        equal(mock.call("POST", "/requests/verify", twice).get("verdict"), "met");
    }

    void quota() throws Exception {
        String key = "lab_slow"; // a key of its own: its quota is that of no other test
        mock.call("POST", "/keys", Map.of("key", key, "organisation", "slow", "requests_per_minute", 2));
        double before = mock.now();
        var slow = new Labs(mock.url, key, mock);
        for (int number = 0; number < 5; number++) slow.evaluate(SUITCASE, MESSAGES);
        equal(mock.now() - before, 120.0);
    }

    void lost() throws Exception {
        Object episode = labs.begin(SUITCASE).get("episode_id");
        mock.call("POST", "/faults", Map.of("path", "*/turns", "close", true));
        try {
            labs.turn(episode, LINES.get(0));
        } catch (IOException expected) {
            equal(Json.number(mock.call("GET", "/episodes/" + episode, null).get("turn")), 1.0); // it has been taken
            return;
        }
        throw new AssertionError("no exception");
    }

    void refused() throws Exception {
        try {
            labs.begin(Labs.with(SUITCASE, "scenario_slug", "lost-suitcas"));
        } catch (Labs.LabsException expected) {
            equal(expected.status, 404);
            return;
        }
        throw new AssertionError("no exception");
    }

    static void equal(Object found, Object expected) {
        if (!expected.equals(found)) throw new AssertionError(found + " instead of " + expected);
    }

    /** One test: on a server that has been reset, and without findings at its end. */
    void run(Test test) throws Exception {
        mock.call("POST", "/reset", null);
        test.run();
        equal(mock.call("GET", "/findings?severity=warning", null).get("findings"), List.of());
    }

    public static void main(String[] folder) throws Exception {
        int failed = 0;
        try (var mock = new LabsMock(folder[0])) {
            var all = new LabsTest(mock);
            for (var test : all.tests.entrySet()) {
                try {
                    all.run(test.getValue());
                    System.out.println("ok      " + test.getKey());
                } catch (AssertionError | Exception error) {
                    failed++;
                    System.out.println("FAILED  " + test.getKey() + ": " + error);
                }
            }
        }
        System.exit(failed == 0 ? 0 : 1);
    }
}
