import java.io.BufferedReader;
import java.io.InputStreamReader;
import java.util.ArrayList;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.Future;
import org.apache.kafka.clients.admin.Admin;
import org.apache.kafka.clients.admin.NewTopic;
import org.apache.kafka.clients.producer.KafkaProducer;
import org.apache.kafka.clients.producer.ProducerRecord;
import org.apache.kafka.clients.producer.RecordMetadata;
import org.apache.kafka.common.serialization.ByteArraySerializer;

/**
 * Tells the partition that Kafka's own producer, as it is by default, chooses for each key; until the end of
 * its standard input.
 *
 * A question is a line "SERVERS TOPIC COUNT" and COUNT keys, one a line in base64; "-" is the null key, an
 * empty line the empty key. The answer is one line: the partitions, with spaces. The records go to a scratch
 * topic with as many partitions as the given one, deleted at the end, so that nobody who reads the topic sees
 * them.
 */
public final class Partitions {
    public static void main(String[] arguments) throws Exception {
        BufferedReader input = new BufferedReader(new InputStreamReader(System.in));
        for (String question = input.readLine(); question != null; question = input.readLine()) {
            String[] words = question.split(" ");
            List<String> keys = new ArrayList<>();
            for (int left = Integer.parseInt(words[2]); left > 0; left--) {
                keys.add(input.readLine());
            }
            System.out.println(String.join(" ", answer(words[0], words[1], keys)));
        }
    }

    private static List<String> answer(String servers, String topic, List<String> keys) throws Exception {
        // One request at a time: else those of a topic that is not quite there yet stay out of order for ever.
        Map<String, Object> config = Map.of("bootstrap.servers", servers, "max.block.ms", 20_000,
            "max.in.flight.requests.per.connection", 1);
        String scratch = "java-partitions-" + UUID.randomUUID();
        try (Admin admin = Admin.create(config)) {
            int partitions =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            admin.createTopics(List.of(new NewTopic(scratch, partitions, (short) -1).configs(
                Map.of("min.insync.replicas", "1")))).all().get();
            try {
                return produce(config, scratch, keys);
            } finally {
                admin.deleteTopics(List.of(scratch)).all().get();
            }
        }
    }

    private static List<String> produce(Map<String, Object> config, String topic, List<String> keys)
        throws Exception {
        ByteArraySerializer bytes = new ByteArraySerializer();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, bytes, bytes)) {
            for (String line : keys) {
                byte[] key = line.equals("-") ? null : Base64.getDecoder().decode(line);
                sent.add(producer.send(new ProducerRecord<>(topic, key, new byte[0])));
            }
        }
        List<String> partitions = new ArrayList<>();
        for (Future<RecordMetadata> future : sent) {
            partitions.add(Integer.toString(future.get().partition()));
        }
        return partitions;
    }
}
