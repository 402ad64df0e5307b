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
 * Prints the partition that Kafka's own producer, as it is by default, chooses for each key.
 *
 * Arguments: bootstrap servers, topic. Standard input: one key a line in base64; "-" is the null key, an empty
 * line the empty key. The records go to a scratch topic with as many partitions as the given one, deleted at
 * the end, so that nobody who reads the topic sees them.
 */
public final class Partitions {
    public static void main(String[] arguments) throws Exception {
        Map<String, Object> config = Map.of("bootstrap.servers", arguments[0], "max.block.ms", 20_000);
        String topic = arguments[1];
        String scratch = "java-partitions-" + UUID.randomUUID();
        List<String> lines = new String(System.in.readAllBytes()).lines().toList();
        try (Admin admin = Admin.create(config)) {
            int partitions =
                admin.describeTopics(List.of(topic)).allTopicNames().get().get(topic).partitions().size();
            admin.createTopics(List.of(new NewTopic(scratch, partitions, (short) -1).configs(
                Map.of("min.insync.replicas", "1")))).all().get();
            try {
                produce(config, scratch, lines);
            } finally {
                admin.deleteTopics(List.of(scratch)).all().get();
            }
        }
    }

    private static void produce(Map<String, Object> config, String topic, List<String> lines) throws Exception {
        ByteArraySerializer bytes = new ByteArraySerializer();
        List<Future<RecordMetadata>> sent = new ArrayList<>();
        try (KafkaProducer<byte[], byte[]> producer = new KafkaProducer<>(config, bytes, bytes)) {
            for (String line : lines) {
                byte[] key = line.equals("-") ? null : Base64.getDecoder().decode(line);
                sent.add(producer.send(new ProducerRecord<>(topic, key, new byte[0])));
            }
        }
        for (Future<RecordMetadata> future : sent) {
            System.out.println(future.get().partition());
        }
    }
}
