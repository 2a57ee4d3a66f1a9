import com.fasterxml.jackson.databind.*;
import com.fasterxml.jackson.databind.node.*;
import io.apicurio.registry.utils.converter.avro.*;
import java.io.*;
import java.nio.charset.StandardCharsets;
import java.util.*;
import org.apache.avro.generic.*;
import org.apache.avro.io.*;
import org.apache.kafka.connect.data.*;
import org.apache.kafka.connect.json.JsonConverter;

/** Reads cases, one JSON object a line, and writes them with what the Java classes make of them. */
public class AvroVectors {
    static final ObjectMapper MAPPER = new ObjectMapper();

    public static void main(String[] args) throws Exception {
        BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
        PrintStream out = new PrintStream(System.out, true, "UTF-8");
        for (String line; (line = in.readLine()) != null; ) {
            if (line.isBlank()) continue;
            ObjectNode vector = (ObjectNode) MAPPER.readTree(line);
            try {
                if (vector.has("envelope")) from(vector); else to(vector);
            } catch (Throwable e) {
                vector.put("class", e.getClass().getName());
                vector.put("error", String.valueOf(e.getMessage()));
            }
            out.println(MAPPER.writeValueAsString(vector));
        }
    }

    static AvroData data(ObjectNode vector) {
        Map<String, Object> options = new HashMap<>();
        if (vector.has("options")) vector.get("options").fields().forEachRemaining(e -> options.put(e.getKey(), e.getValue().asText()));
        return new AvroData(new AvroDataConfig(options));
    }

    static JsonConverter json() {
        JsonConverter converter = new JsonConverter();
        converter.configure(Map.of("schemas.enable", "true", "replace.null.with.default", "false"), false);
        return converter;
    }

    /** A value of Kafka Connect to Avro and back. */
    static void from(ObjectNode vector) throws Exception {
        SchemaAndValue value = json().toConnectData("t", MAPPER.writeValueAsBytes(vector.get("envelope")));
        AvroData data = data(vector);
        org.apache.avro.Schema schema = data.fromConnectSchema(value.schema());
        vector.put("avro", schema.toString());
        Object avro = data.fromConnectData(value.schema(), value.value());
        if (avro == null) { vector.putNull("hex"); return; }
        Object plain = avro instanceof org.apache.avro.generic.GenericContainer ? unwrap(avro) : avro;
        byte[] bytes = write(schema, plain);
        vector.put("hex", hex(bytes));
        back(vector, data, schema, bytes);
    }

    /** NonRecordContainer has getValue. */
    static Object unwrap(Object container) throws Exception {
        if (container.getClass().getSimpleName().equals("NonRecordContainer")) {
            return container.getClass().getMethod("getValue").invoke(container);
        }
        return container;
    }

    /** A datum of Avro to Kafka Connect. */
    static void to(ObjectNode vector) throws Exception {
        org.apache.avro.Schema.Parser parser = new org.apache.avro.Schema.Parser();
        parser.setValidateDefaults(false);
        org.apache.avro.Schema schema = parser.parse(MAPPER.writeValueAsString(vector.get("schema")));
        Object datum = new GenericDatumReader<>(schema).read(null,
            DecoderFactory.get().jsonDecoder(schema, MAPPER.writeValueAsString(vector.get("datum"))));
        byte[] bytes = write(schema, datum);
        vector.put("hex", hex(bytes));
        back(vector, data(vector), schema, bytes);
    }

    static byte[] write(org.apache.avro.Schema schema, Object datum) throws Exception {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BinaryEncoder encoder = EncoderFactory.get().directBinaryEncoder(out, null);
        new GenericDatumWriter<>(schema).write(datum, encoder);
        encoder.flush();
        return out.toByteArray();
    }

    static void back(ObjectNode vector, AvroData data, org.apache.avro.Schema schema, byte[] bytes) throws Exception {
        Object datum = new GenericDatumReader<>(schema).read(null, DecoderFactory.get().binaryDecoder(bytes, null));
        SchemaAndValue value = data.toConnectData(schema, datum, 3);
        if (value == null) { vector.putNull("back"); return; }
        byte[] text = json().fromConnectData("t", value.schema(), value.value());
        vector.set("back", MAPPER.readTree(text));
    }

    static String hex(byte[] bytes) {
        StringBuilder text = new StringBuilder();
        for (byte b : bytes) text.append(String.format("%02x", b));
        return text.toString();
    }
}
