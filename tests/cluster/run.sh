#!/usr/bin/env bash
# Installs the chart on the cluster of KUBECONFIG, in a namespace of its own that is deleted at the end.
#
#   KUBECONFIG=… tests/cluster/run.sh [pytest arguments]
#
# Needs helm and kubectl on PATH, Java and Maven (Apache Kafka runs on this machine), and a cluster whose nodes have the
# connector's image and reach this machine:
#   PYTHON                python3        the Python with the test requirements
#   CLUSTER_IMAGE         graphql-kafka-connector:0.1.0   repository:tag of the image
#   CLUSTER_HOST_ADDRESS  127.0.0.1      this machine's address, as pods reach it
#   CLUSTER_VALUES                       a file of more values, such as imagePullSecrets or a nodeSelector
set -euo pipefail
: "${KUBECONFIG:?name the cluster: KUBECONFIG=… tests/cluster/run.sh}"
for program in helm kubectl; do
  command -v "$program" >/dev/null || { echo "$program is not on PATH" >&2; exit 1; }
done
cd "$(dirname "$0")/../.."
CLUSTER_TESTS=1 exec "${PYTHON:-python3}" -m pytest tests/cluster -v "$@"
