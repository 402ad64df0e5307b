"""The chart on a real Kubernetes API with a node that runs pods; outside `make test`, see run.sh."""
