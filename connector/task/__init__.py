"""Source tasks: buckets of subscriptions, each followed for ever."""

from connector.task.follower import Follower
from connector.task.observers import SubscriptionObserver
from connector.task.pace import Pace
from connector.task.settings import FollowSettings
from connector.task.status import State, SubscriptionStatus
from connector.task.task import Task, bucket
from connector.task.verdicts import Tolerance
from connector.task.vigil import Patience

__all__ = [
    "FollowSettings",
    "Follower",
    "Pace",
    "Patience",
    "State",
    "SubscriptionObserver",
    "SubscriptionStatus",
    "Task",
    "Tolerance",
    "bucket",
]
