import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * A client of the Labs API with the JDK alone (17 or newer). It waits for the quota, sends again what may be sent again, and throws
 * what the service refuses.
 */
class Labs {
    /** An answer that is an error. A 4xx other than 429 is a mistake of the program: the same request gets the same answer. */
    static class LabsException extends RuntimeException {
        final int status;

        LabsException(int status, Map<String, Object> body) {
            super(status + " " + body.get("message") + " (" + Json.object(body.get("data")).get("request_id") + ")");
            this.status = status;
        }
    }

    /** The clock that a client waits by, in seconds; a test gives it the server's. */
    interface Clock {
        double now() throws Exception;

        void sleep(double seconds) throws Exception;
    }

    static class RealClock implements Clock {
        public double now() {
            return Instant.now().toEpochMilli() / 1000.0;
        }

        public void sleep(double seconds) throws InterruptedException {
            Thread.sleep((long) (1000 * seconds));
        }
    }

    private static final int[] PAUSES = {1, 4}; // seconds before the second and the third attempt
    private final HttpClient http = HttpClient.newHttpClient();
    private final String base, key;
    private final Clock clock;

    Labs(String url, String key, Clock clock) {
        this.base = url + "/api/v1";
        this.key = key;
        this.clock = clock;
    }

    /** The reward of a conversation, from 0 to 1. */
    double evaluate(Map<String, Object> scenario, List<?> messages) throws Exception {
        return Json.number(call("/evaluate", with(scenario, "messages", messages), true).get("reward"));
    }

    /** A new episode: its id, the first observation and the tools. */
    Map<String, Object> begin(Map<String, Object> scenario) throws Exception {
        return call("/episodes", with(scenario, "score_turns", true), true);
    }

    /** Not sent again after a lost answer: the turn may have been taken. */
    Map<String, Object> turn(Object episode, Map<String, Object> said) throws Exception {
        var message = with(said, "role", "assistant");
        return call("/episodes/" + episode + "/turns", Map.of("id", episode, "messages", List.of(message)), false);
    }

    /** Plays an episode until it is complete or there is nothing more to say. The last answer has the reward of all of it. */
    Map<String, Object> play(Map<String, Object> scenario, List<Map<String, Object>> lines) throws Exception {
        Object episode = begin(scenario).get("episode_id");
        Map<String, Object> answer = Map.of();
        for (var said : lines) {
            answer = turn(episode, said);
            if (answer.get("episode_complete").equals(true)) break; // only now there is a terminal_reason
        }
        return answer;
    }

    Map<String, Object> call(String path, Map<String, Object> body, boolean again) throws Exception {
        var request = HttpRequest.newBuilder(URI.create(base + path))
                .header("Authorization", "Bearer " + key)
                .header("Content-Type", "application/json")
                .timeout(Duration.ofMinutes(1))
                .POST(HttpRequest.BodyPublishers.ofString(Json.write(body)))
                .build();
        for (int attempt = 0; ; ) {
            HttpResponse<String> response = null;
            IOException lost = null;
            try {
                response = http.send(request, HttpResponse.BodyHandlers.ofString());
            } catch (IOException error) { // no connection, a broken one, or more than a minute
                lost = error;
            }
            if (response != null && response.statusCode() == 429) {
                double reset = Double.parseDouble(response.headers().firstValue("X-RateLimit-Reset").orElseThrow());
                clock.sleep(Math.max(0, reset - clock.now()));
            } else if (response != null && response.statusCode() < 500) {
                var answer = Json.object(Json.read(response.body()));
                if (response.statusCode() != 200) throw new LabsException(response.statusCode(), answer);
                return answer;
            } else if (again && attempt < PAUSES.length) {
                clock.sleep(PAUSES[attempt++]);
            } else if (response == null) {
                throw lost;
            } else {
                throw new LabsException(response.statusCode(), Json.object(Json.read(response.body())));
            }
        }
    }

    static Map<String, Object> with(Map<String, Object> map, String name, Object value) {
        var copy = new LinkedHashMap<>(map);
        copy.put(name, value);
        return copy;
    }
}
