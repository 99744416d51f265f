import java.math.BigDecimal;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/**
 * All of JSON in a file, since the JDK has none: objects are maps, arrays lists, numbers BigDecimal. It is here so that the example needs
 * nothing; take Jackson or Gson in a project. Picking fields with regular expressions would be shorter, and wrong as soon as a
 * persona says {@code "reward": 1}.
 */
class Json {
    private final String text;
    private int place;

    private Json(String text) {
        this.text = text;
    }

    static Object read(String text) {
        var json = new Json(text);
        Object value = json.value();
        if (json.next() != 0) throw json.mistake();
        return value;
    }

    @SuppressWarnings("unchecked")
    static Map<String, Object> object(Object value) {
        return (Map<String, Object>) value;
    }

    static double number(Object value) {
        return ((Number) value).doubleValue();
    }

    static String write(Object value) {
        if (value instanceof Map<?, ?> map) {
            return map.entrySet().stream()
                    .map(one -> write(one.getKey()) + ":" + write(one.getValue()))
                    .collect(Collectors.joining(",", "{", "}"));
        }
        if (value instanceof List<?> list) {
            return list.stream().map(Json::write).collect(Collectors.joining(",", "[", "]"));
        }
        return value instanceof String string ? quoted(string) : String.valueOf(value);
    }

    private static String quoted(String string) {
        var quoted = new StringBuilder("\"");
        for (char one : string.toCharArray()) {
            if (one == '"' || one == '\\') quoted.append('\\').append(one);
            else if (one < ' ') quoted.append(String.format("\\u%04x", (int) one));
            else quoted.append(one);
        }
        return quoted.append('"').toString();
    }

    /** The next character that is no white space, which is not taken; 0 at the end. */
    private char next() {
        while (place < text.length() && " \t\r\n".indexOf(text.charAt(place)) >= 0) place++;
        return place < text.length() ? text.charAt(place) : 0;
    }

    private boolean take(String token) {
        next();
        boolean found = text.startsWith(token, place);
        if (found) place += token.length();
        return found;
    }

    private void expect(String token) {
        if (!take(token)) throw mistake();
    }

    private Object value() {
        if (take("{")) return members();
        if (take("[")) return elements();
        if (next() == '"') return string();
        if (take("true")) return true;
        if (take("false")) return false;
        if (take("null")) return null;
        return numeral();
    }

    private Map<String, Object> members() {
        var map = new LinkedHashMap<String, Object>();
        if (take("}")) return map;
        do {
            String name = string();
            expect(":");
            map.put(name, value());
        } while (take(","));
        expect("}");
        return map;
    }

    private List<Object> elements() {
        var list = new ArrayList<>();
        if (take("]")) return list;
        do list.add(value());
        while (take(","));
        expect("]");
        return list;
    }

    private String string() {
        expect("\"");
        var string = new StringBuilder();
        while (place < text.length() && text.charAt(place) != '"') {
            char one = text.charAt(place++);
            string.append(one == '\\' ? escaped() : one);
        }
        expect("\"");
        return string.toString();
    }

    private char escaped() {
        char one = text.charAt(place++);
        if (one == 'u') return (char) Integer.parseInt(text.substring(place, place += 4), 16);
        int known = "bfnrt".indexOf(one);
        return known < 0 ? one : "\b\f\n\r\t".charAt(known);
    }

    private BigDecimal numeral() {
        int start = place;
        while (place < text.length() && "+-.eE0123456789".indexOf(text.charAt(place)) >= 0) place++;
        if (start == place) throw mistake();
        return new BigDecimal(text.substring(start, place));
    }

    private IllegalArgumentException mistake() {
        return new IllegalArgumentException("no JSON at character " + place);
    }
}
