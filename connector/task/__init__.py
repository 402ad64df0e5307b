"""Source tasks: buckets of subscriptions, each followed for ever."""

from connector.task.follower import Follower, FollowSettings
from connector.task.session import Patience
from connector.task.status import State, SubscriptionObserver, SubscriptionStatus
from connector.task.task import Task, bucket

__all__ = [
    "FollowSettings",
    "Follower",
    "Patience",
    "State",
    "SubscriptionObserver",
    "SubscriptionStatus",
    "Task",
    "bucket",
]
