"""A model that runs under the eyes and hands of a user: `tme live`."""

from tme.experiments.live.log import LOG, START, digest_of, read_log
from tme.experiments.live.model import LiveModel, free_folder, one_arm, start
from tme.experiments.live.replay import log_of, replay, start_of
from tme.experiments.live.session import Session

__all__ = ["LOG", "START", "LiveModel", "Session", "digest_of", "free_folder", "log_of", "one_arm", "read_log", "replay", "start", "start_of"]
