import java.io.BufferedReader;
import java.io.IOException;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.time.Instant;
import java.util.List;
import java.util.Map;

/** A labs-mock of its own for the tests: it starts with this object and stops when that is closed, or when this program ends. */
class LabsMock implements AutoCloseable, Labs.Clock {
    final String url, key;
    private final Process server;
    private final HttpClient http = HttpClient.newHttpClient();

    LabsMock(String scenarios) throws IOException {
        var command = List.of(
                "labs-mock", "serve", scenarios, "--port", "0", "--clock", "frozen", "--json", "--until-eof");
        try {
            server = new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.INHERIT).start();
        } catch (IOException error) {
            throw new IOException("labs-mock is not installed, or not on the PATH: pip install . in a checkout of it", error);
        }
        String ready = server.inputReader().readLine(); // one line, once it responds
        if (ready == null) throw new IOException("labs-mock ended before it was ready; see above");
        var started = Json.object(Json.read(ready));
        url = (String) started.get("url");
        key = (String) started.get("api_key");
    }

    /** A call of the control plane; the body may be null. */
    Map<String, Object> call(String method, String path, Map<String, Object> body) throws Exception {
        var content = HttpRequest.BodyPublishers.ofString(body == null ? "" : Json.write(body));
        var request = HttpRequest.newBuilder(URI.create(url + "/_mock" + path))
                .header("Content-Type", "application/json")
                .method(method, content)
                .build();
        var response = http.send(request, HttpResponse.BodyHandlers.ofString());
        if (response.statusCode() != 200) throw new IOException(method + " " + path + ": " + response.body());
        return Json.object(Json.read(response.body()));
    }

    /** The server's clock, which stands still: who sleeps by it moves it on, and does not wait. */
    @Override
    public double now() throws Exception {
        return Instant.parse((String) call("GET", "/clock", null).get("now")).toEpochMilli() / 1000.0;
    }

    @Override
    public void sleep(double seconds) throws Exception {
        call("POST", "/clock/advance", Map.of("seconds", seconds));
    }

    @Override
    public void close() throws Exception {
        server.outputWriter().close(); // --until-eof
        server.waitFor();
    }
}
