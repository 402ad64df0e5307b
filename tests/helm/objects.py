"""Rendered Kubernetes objects, as tests read them."""

from typing import Any

import yaml

Object = dict[str, Any]
"""One rendered object."""


def objects_in(text: str) -> list[Object]:
    """The objects of a stream of YAML documents, by kind and name; empty documents do not count."""
    objects = [item for item in yaml.safe_load_all(text) if item]
    return sorted(objects, key=lambda item: (item["kind"], item["metadata"]["name"]))


def only(objects: list[Object], kind: str) -> Object:
    """The one object of this kind."""
    (found,) = [item for item in objects if item["kind"] == kind]
    return found


def pod_of(objects: list[Object]) -> Object:
    """The pod template of the one Deployment."""
    template: Object = only(objects, "Deployment")["spec"]["template"]
    return template


def container_of(objects: list[Object]) -> Object:
    """The one container of the pod."""
    (container,) = pod_of(objects)["spec"]["containers"]
    found: Object = container
    return found


def merged(base: Object, changes: Object) -> Object:
    """Changes laid over a tree of values, as Helm lays one values file over another."""
    both = {
        key: merged(base[key], value) if _are_maps(base.get(key), value) else value
        for key, value in changes.items()
    }
    return {**base, **both}


def _are_maps(one: object, other: object) -> bool:
    return isinstance(one, dict) and isinstance(other, dict)
