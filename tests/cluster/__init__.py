"""
The chart on a real Kubernetes API with a node that runs pods: `KUBECONFIG=… make test-cluster`.

Needs helm and kubectl on PATH, Java and Maven (Apache Kafka and the upstream run on this machine), and a
cluster whose node has the connector's image and reaches this machine. From the environment:

CLUSTER_IMAGE
    The image as repository:tag; graphql-kafka-connector and the chart's appVersion where it is not set.
CLUSTER_HOST_ADDRESS
    This machine's address as pods reach it; 127.0.0.1 where it is not set.
CLUSTER_VALUES
    A file of more values for the chart, such as imagePullSecrets or a nodeSelector.
"""
