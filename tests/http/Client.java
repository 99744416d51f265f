import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpRequest.BodyPublishers;
import java.net.http.HttpResponse;
import java.net.http.HttpResponse.BodyHandlers;
import java.nio.charset.StandardCharsets;

/** Java's client as it comes, which offers an upgrade to HTTP/2 with every request: URL, key and body are its arguments. */
public class Client {
    public static void main(String[] arguments) throws Exception {
        HttpClient client = HttpClient.newHttpClient();
        byte[] body = arguments[2].getBytes(StandardCharsets.UTF_8);
        HttpRequest.BodyPublisher[] kinds = {
            BodyPublishers.ofByteArray(body),
            BodyPublishers.ofInputStream(() -> new java.io.ByteArrayInputStream(body)), // of unknown length: in chunks
        };
        for (HttpRequest.BodyPublisher kind : kinds) {
            HttpRequest request = HttpRequest.newBuilder(URI.create(arguments[0]))
                .header("Authorization", "Bearer " + arguments[1])
                .header("Content-Type", "application/json")
                .POST(kind)
                .build();
            HttpResponse<String> response = client.send(request, BodyHandlers.ofString());
            System.out.println(response.statusCode() + " " + response.version() + " " + response.body());
        }
    }
}
