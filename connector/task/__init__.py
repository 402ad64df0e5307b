"""Source tasks: buckets of subscriptions, each kept up for ever."""

from connector.task.connect_rate import ConnectRateLimiter
from connector.task.keep_alive import KeepAlivePolicy
from connector.task.observers import SubscriptionObserver
from connector.task.offset_store import OFFSETS_STATES, OffsetsState
from connector.task.rotation_policy import Rotation
from connector.task.rotations import RotationLimiter
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.state import State
from connector.task.status import SubscriptionStatus
from connector.task.subscription_runner import SubscriptionRunner
from connector.task.suspicion_policy import SuspicionPolicy
from connector.task.task import Task, bucket
from connector.task.task_offsets import WRITE_EVERY, TaskOffsets
from connector.task.tolerance import Tolerance

__all__ = [
    "OFFSETS_STATES",
    "WRITE_EVERY",
    "ConnectRateLimiter",
    "KeepAlivePolicy",
    "OffsetsState",
    "Rotation",
    "RotationLimiter",
    "Shared",
    "State",
    "SubscriptionObserver",
    "SubscriptionRunner",
    "SubscriptionSettings",
    "SubscriptionStatus",
    "SuspicionPolicy",
    "Task",
    "TaskOffsets",
    "Tolerance",
    "bucket",
]
