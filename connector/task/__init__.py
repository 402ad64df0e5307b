"""Source tasks: buckets of subscriptions, each kept up for ever."""

from connector.task.connect_rate import ConnectRateLimiter
from connector.task.keep_alive import KeepAlivePolicy
from connector.task.observers import SubscriptionObserver
from connector.task.settings import Shared, SubscriptionSettings
from connector.task.state import State
from connector.task.status import SubscriptionStatus
from connector.task.subscription_runner import SubscriptionRunner
from connector.task.suspicion_policy import SuspicionPolicy
from connector.task.task import Task, bucket
from connector.task.tolerance import Tolerance

__all__ = [
    "ConnectRateLimiter",
    "KeepAlivePolicy",
    "Shared",
    "State",
    "SubscriptionObserver",
    "SubscriptionRunner",
    "SubscriptionSettings",
    "SubscriptionStatus",
    "SuspicionPolicy",
    "Task",
    "Tolerance",
    "bucket",
]
