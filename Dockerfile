# Image of the connector. Everything it installs from an index is held by a hash; it holds no secret and no pip.
FROM python:3.12-slim AS build

ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1

# Wheels only, so that the image needs no compiler; a separate layer, so that a changed source installs nothing again.
WORKDIR /build
COPY requirements.lock requirements-build.lock ./
RUN python -m venv --without-pip /opt/connector \
    && pip --python /opt/connector/bin/python install --require-hashes --only-binary=:all: -r requirements.lock \
    && pip install --require-hashes --only-binary=:all: -r requirements-build.lock

COPY pyproject.toml README.md ./
COPY connector ./connector
RUN pip wheel --no-deps --no-index --no-build-isolation --wheel-dir dist . \
    && pip --python /opt/connector/bin/python install --no-deps --no-index dist/*.whl


FROM python:3.12-slim

LABEL org.opencontainers.image.title="graphql-kafka-connector" \
      org.opencontainers.image.description="A Kafka source connector for GraphQL subscriptions." \
      org.opencontainers.image.licenses="Apache-2.0"

COPY --from=build /opt/connector /opt/connector
ENV PATH=/opt/connector/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1

# A number, since Kubernetes cannot tell by a name that a user is not root; the chart's podSecurityContext repeats it.
USER 10001:10001
EXPOSE 8083
ENTRYPOINT ["connector"]
CMD ["run", "-c", "/etc/connector/connector.yaml"]
